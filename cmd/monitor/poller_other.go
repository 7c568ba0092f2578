//go:build !unix

package main

func makePoller() error { return nil }

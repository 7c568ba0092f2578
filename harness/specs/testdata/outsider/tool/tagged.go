//go:build outsider

package main

func init() { tag = "with the tag" }

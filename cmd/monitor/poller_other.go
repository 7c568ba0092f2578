//go:build !unix

package main

import "os"

// limitSignals are the signals of a limit that ends a monitor.
var limitSignals []os.Signal

func makePoller() error { return nil }

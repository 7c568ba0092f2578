package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// getTermios returns how a terminal is set.
func getTermios(file *os.File) (*unix.Termios, error) {
	return unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
}

// setTermios sets it, when what was written has been sent.
func setTermios(file *os.File, mode *unix.Termios) error {
	return unix.IoctlSetTermios(int(file.Fd()), unix.TCSETSW, mode)
}

package main

import (
	"io"

	"github.com/spf13/cobra"
)

// An output passes on what is written, and keeps the first error. Nothing is written after
// that.
type output struct {
	io.Writer
	err error
}

// Write implements [io.Writer].
func (o *output) Write(text []byte) (n int, err error) {
	if o.err == nil {
		n, o.err = o.Writer.Write(text)
	}
	return n, o.err
}

// execute runs a command that prints to out. What could not be written is an error, of each
// command and of the help.
func execute(root *cobra.Command, out io.Writer) error {
	kept := &output{Writer: out}
	root.SetOut(kept)
	if err := root.Execute(); err != nil {
		return err
	}
	return kept.err
}

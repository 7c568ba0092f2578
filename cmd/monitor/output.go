package main

import (
	"fmt"
	"io"
	"os"

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

// width returns how many columns the terminal has that out writes to, and 0 where that is no
// terminal.
func width(out io.Writer) int {
	if kept, ok := out.(*output); ok {
		out = kept.Writer
	}
	columns := 0
	if file, ok := out.(*os.File); ok {
		columns, _ = terminalWidth(file)
	}
	return columns
}

// remark tells the user something beside the output of a command.
func remark(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "monitor: %s\n", plain(fmt.Sprintf(format, args...)))
}

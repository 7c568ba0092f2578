// Repl is a calculator at a terminal.
//
// At its prompt "> " it takes an expression, as "1+2", and prints its value, "= 3". "menu"
// opens a full-screen menu. ^C throws the line away, ^D ends the program with status 0.
package main

import (
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/signal"
	"strings"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "repl:", err)
		os.Exit(1)
	}
}

// run reads and answers lines until the end of the input. The terminal edits the line,
// echoes it, and turns ^C into a signal.
func run() error {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	in := newInput(os.Stdin)
	for {
		fmt.Print("> ")
		line, err := readLine(in, interrupts)
		switch {
		case errors.Is(err, io.EOF):
			fmt.Println()
			return nil
		case errors.Is(err, errInterrupted):
			fmt.Println() // after the ^C that the terminal has echoed
		case err != nil:
			return err
		case line == "menu":
			picked, err := pick([]string{"Apply new", "Keep old", "Ask later"}, in)
			if err != nil {
				picked = "? " + err.Error()
			}
			fmt.Println(picked)
		case line != "":
			fmt.Println(evaluate(line))
		}
	}
}

// readLine returns the next line without blanks around it, and the errors of in.next.
func readLine(in *input, interrupts <-chan os.Signal) (string, error) {
	var line strings.Builder
	for {
		b, err := in.next(interrupts)
		if err != nil && (!errors.Is(err, io.EOF) || line.Len() == 0) {
			return "", err
		}
		if err != nil || b == '\n' { // the last line may have no end
			return strings.TrimSpace(line.String()), nil
		}
		line.WriteByte(b)
	}
}

// evaluate returns the answer to an expression: Go's constant expressions are more than
// arithmetic, and exact.
func evaluate(expression string) string {
	value, err := types.Eval(token.NewFileSet(), nil, token.NoPos, expression)
	switch {
	case err != nil:
		return "? " + err.Error()
	case value.Value == nil:
		return "? not a value: " + expression
	}
	return "= " + value.Value.String()
}

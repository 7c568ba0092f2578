package main

import (
	"fmt"
	"os"

	"github.com/gemini-monitor/gemini/monitor"
)

// shell becomes the shell that $SHELL names, with these arguments. It returns only where
// that fails.
func (g *global) shell(o runFlags, prompt bool, args []string) error {
	shell := os.Getenv("SHELL")
	if shell == "" {
		shell = "/bin/sh"
	}
	if _, err := findCommand(shell); err != nil {
		return failed(fmt.Errorf("$SHELL is %w", err))
	}
	if prompt {
		if o.name == "" {
			o.name = monitor.MadeUpName([]string{shell})
		}
		how, err := hintFor(shell, o.name, os.Getenv)
		if err != nil {
			return failed(err)
		}
		for variable, value := range how.environment {
			if err := os.Setenv(variable, value); err != nil {
				return failed(err)
			}
		}
		args = append(how.arguments, args...)
	}
	return g.run(o, false, append([]string{shell}, args...))
}

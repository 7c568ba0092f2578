//go:build darwin || linux

// Mutant is a family of wrong monitors, which measure the scenarios: a scenario that
// none of them fails proves little. Each has one fault and is right otherwise.
//
// It is an adapter (docs/your-own-monitor.md). The name of the link through which it is
// called selects the mutant:
//
//	MUTANT run NAME -- COMMAND [ARG...]
//	MUTANT shell NAME
//	MUTANT list
//
// Under its own name it lists the mutants with their faults, and the labels of the
// scenarios that are about the fault, where only these are.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gemini-monitor/gemini/internal/erase"
)

func main() {
	name := filepath.Base(os.Args[0])
	m, ok := find(name)
	if !ok {
		for _, m := range mutants {
			fmt.Printf("%s\t%s\t%s\n", m.name, m.fault, m.labels)
		}
		return
	}
	if err := m.obey(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(125)
	}
}

var errUsage = errors.New("usage: run NAME -- COMMAND [ARG...] | shell NAME | list")

// obey runs the command in args.
func (m mutant) obey(args []string) error {
	switch {
	case len(args) == 1 && args[0] == "list":
		return list()
	case len(args) == 2 && args[0] == "shell":
		return m.run(args[1], []string{os.Getenv("SHELL")})
	case len(args) > 3 && args[0] == "run" && args[2] == "--":
		return m.run(args[1], args[3:])
	case len(args) > 1 && args[0] == detachVerb:
		return detach(args[1:])
	case len(args) == 3 && args[0] == watchVerb:
		return m.begin(args[1], args[2])
	case len(args) == 1 && args[0] == serveVerb:
		return m.serve()
	case len(args) == 1 && args[0] == guardVerb:
		return m.guard()
	}
	return errUsage
}

// A runtime is a directory in the store; the lease is a file in it.
func directory(runtime string) string {
	return filepath.Join(os.Getenv("MONITOR_STORE"), "runtimes", runtime)
}

func leasePath(runtime string) string { return filepath.Join(directory(runtime), "lease") }

func create(runtime string) error {
	dir := directory(runtime)
	if strings.ContainsRune(runtime, '/') || runtime == "" {
		return fmt.Errorf("%q is not a name", runtime)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	return os.Mkdir(dir, 0o700)
}

func list() error {
	entries, err := os.ReadDir(directory(""))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		fmt.Println(e.Name())
	}
	return nil
}

// remove deletes what is the runtime's, and nothing that is mounted there.
func remove(runtime string) error { return erase.All(directory(runtime)) }

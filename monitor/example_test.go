//go:build darwin || linux

package monitor_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A program gives a process that it started a runtime, and watches that itself.
// The runtime lives as long as the process and all that descends from it.
func Example() {
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	store, err := monitor.Open(dir)
	if err != nil {
		log.Fatal(err)
	}

	// The shell ends, and leaves another process behind that waits for its input
	// to end.
	shell := exec.Command("/bin/sh", "-c", "cat <&3 & read -r line")
	orphansInput, closeInput, err := os.Pipe()
	if err != nil {
		log.Fatal(err)
	}
	shell.ExtraFiles = []*os.File{orphansInput}
	input, err := shell.StdinPipe()
	if err != nil {
		log.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		log.Fatal(err)
	}
	orphansInput.Close()
	owner, err := process.Lookup(shell.Process.Pid)
	if err != nil {
		log.Fatal(err)
	}

	// Three acts: make the runtime, attach a monitor, run it. One tracker serves
	// many runtimes.
	runtime, err := store.Create(monitor.Creation{Name: "example", Owner: owner.Identity, Command: shell.Args})
	if err != nil {
		log.Fatal(err)
	}
	t, err := tracker.New(tracker.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer t.Close()
	watching, err := runtime.Attach(context.Background(), t, monitor.Options{})
	if err != nil {
		log.Fatal(err)
	}
	record, err := runtime.Record()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(record.Name, "is", record.State)

	input.Close()
	shell.Wait()
	names, err := store.Names()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the shell has ended:", names)

	closeInput.Close()
	if err := watching.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
	names, err = store.Names()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the orphan has ended:", names)
	// Output:
	// example is running
	// the shell has ended: [example]
	// the orphan has ended: []
}

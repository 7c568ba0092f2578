//go:build darwin || linux

package tracker_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"

	"github.com/gemini-monitor/gemini/tracker"
)

// A shell ends and leaves a process behind. The tree is empty when that one has
// gone too.
func Example() {
	ctx := context.Background()
	t, err := tracker.New(tracker.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer t.Close()

	// Descriptor 3 keeps the background job alive until we close the pipe.
	gate, open, err := os.Pipe()
	if err != nil {
		log.Fatal(err)
	}
	shell := exec.Command("sh", "-c", "cat <&3 & read -r go")
	shell.ExtraFiles = []*os.File{gate}
	goOn, err := shell.StdinPipe()
	if err != nil {
		log.Fatal(err)
	}
	tree, err := t.Start(ctx, shell) // it begins when it is watched
	if err != nil {
		log.Fatal(err)
	}
	gate.Close()

	for len(tree.Members()) < 2 { // until the shell has made its job
		if _, err := tree.Changes(ctx); err != nil {
			log.Fatal(err)
		}
	}

	goOn.Close() // the shell ends ...
	shell.Wait()
	verdict, err := tree.Check(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the shell has ended, its tree is", verdict)
	for _, m := range tree.Members() {
		fmt.Println("still there: what joined through a link of kind", m.Link.Kind)
	}

	open.Close() // ... and then its job
	if err := tree.Wait(ctx); err != nil {
		log.Fatal(err)
	}
	verdict, _ = tree.Verdict()
	fmt.Println("now it is", verdict)
	// Output:
	// the shell has ended, its tree is alive
	// still there: what joined through a link of kind parent
	// now it is empty
}

//go:build darwin || linux

package router_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"

	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/router"
)

// A view is what a file system shows to the processes of one tree.
type view struct{ layers []string }

// A command runs with a view of its own. This process has none.
func Example() {
	ctx := context.Background()
	t, err := tracker.New(tracker.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer t.Close()
	r, err := router.New(t, router.Options[view]{
		Emptied: func(*router.Route[view]) { fmt.Println("the scratch layer can go") },
	})
	if err != nil {
		log.Fatal(err)
	}

	command := exec.Command("cat")
	goOn, err := command.StdinPipe()
	if err != nil {
		log.Fatal(err)
	}
	tree, err := t.Start(ctx, command) // it begins when it is watched
	if err != nil {
		log.Fatal(err)
	}
	route, err := r.Attach(tree, view{layers: []string{"base"}})
	if err != nil {
		log.Fatal(err)
	}

	// What the file system does in each call, with the PID that FUSE gives it:
	if v, ok := r.Of(command.Process.Pid); ok {
		fmt.Println("the command sees", v.layers)
	}
	route.Set(view{layers: []string{"base", "scratch"}})
	if v, ok := r.Of(command.Process.Pid); ok {
		fmt.Println("the command sees", v.layers)
	}
	if _, ok := r.Of(os.Getpid()); !ok {
		fmt.Println("this process sees an empty directory")
	}

	goOn.Close()
	command.Wait()
	if err := route.Wait(ctx); err != nil {
		log.Fatal(err)
	}
	r.Close() // returns after Emptied has
	// Output:
	// the command sees [base]
	// the command sees [base scratch]
	// this process sees an empty directory
	// the scratch layer can go
}

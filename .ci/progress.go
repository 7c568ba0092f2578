// Progress runs ginkgo and prints a line for each suite instead of a character for each
// spec. Failures and all else pass through.
//
//	go run .ci/progress.go ginkgo ARG...
//
// On a terminal it shows how far the present suite is. Elsewhere, and where NO_COLOR is
// set, ginkgo prints no colours.
//
//	go run .ci/progress.go -tidy COMMAND ARG...
//
// The command compiles, and leaves nothing of that also where it is interrupted: the go
// command leaves its directory then, and ginkgo the test binaries that it has not run.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/creack/pty"

	"github.com/gemini-monitor/gemini/internal/progress"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "progress: no command was given")
		os.Exit(2)
	}
	_, _, err := pty.Getsize(os.Stdout)
	live := err == nil && os.Getenv("TERM") != "dumb"
	var env []string
	if !live || os.Getenv("NO_COLOR") != "" {
		env = []string{"GINKGO_NO_COLOR=1"}
	}
	words := os.Args[1:]
	if words[0] != "-tidy" {
		os.Exit(progress.Run(os.Stdout, live, env, words))
	}
	os.Exit(tidy(live, env, words[1:]))
}

// tidy runs a command that compiles, and removes what that has left.
func tidy(live bool, env, words []string) int {
	dir, err := os.MkdirTemp("", "go-build-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "progress:", err)
		return 1
	}
	status := progress.Run(os.Stdout, live, append(env, "GOTMPDIR="+dir), words)
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, "progress:", err)
	}
	for _, word := range words {
		if strings.HasPrefix(word, "./") { // a suite, whose binary ginkgo makes there
			_ = os.Remove(filepath.Join(word, filepath.Base(word)+".test"))
		}
	}
	return status
}

//go:build darwin || linux

// Judge measures the scenarios: it puts each wrong monitor of cmd/mutant through
// those that are about any monitor, and prints which scenario kills which. It
// fails if a mutant survives, if a scenario kills nobody, or if the mutant
// without a fault is killed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	out := flag.String("out", "out/mutants", "directory for programs, reports and what the runs print")
	filter := flag.String("filter", "!gemini && !stress && !shell:zsh && !shell:sh", "labels of the scenarios")
	at := flag.Int("procs", 5, "mutants that are judged at a time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	trial, err := prepare(ctx, *out, *filter)
	if err == nil {
		err = trial.runAll(ctx, *at)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(2)
	}
	trial.print(os.Stdout)
	if faults := trial.faults(); len(faults) > 0 {
		for _, fault := range faults {
			fmt.Println("FAIL:", fault)
		}
		os.Exit(1)
	}
}

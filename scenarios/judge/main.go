//go:build darwin || linux

// Judge measures the scenarios: it puts each wrong monitor of scenarios/mutant through
// those that are about any monitor, and prints which scenario kills which. It
// fails if a mutant survives, if a scenario kills nobody, or if the mutant
// without a fault is killed. Scenarios labelled orders, stress, shell:zsh and
// shell:sh are left out: they take long and kill nobody whom others do not.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// How the judge ends when there is no verdict, 0, or one against the scenarios, 1.
const (
	exitTrouble     = 2
	exitInterrupted = 130 // as a shell says it
)

func main() {
	out := flag.String("out", "out/mutants", "directory for programs, reports and what the runs print")
	filter := flag.String("filter", "!gemini && !stress && !orders && !shell:zsh && !shell:sh", "labels of the scenarios")
	at := flag.Int("procs", places(), "mutants that are judged at a time")
	keep := flag.Bool("keep", false, "keep what the harness tells of each failed scenario, in reports below -out")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	defer stop()
	trial, err := judge(ctx, *out, *filter, *at)
	if trial != nil && !*keep {
		trial.removeReports()
	}
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "judge: interrupted")
		if trial != nil && err != nil {
			fmt.Fprintln(os.Stderr, "judge:", err) // what was left behind
		}
		os.Exit(exitInterrupted)
	case err != nil:
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(exitTrouble)
	}
	trial.print(os.Stdout)
	if faults := trial.faults(); len(faults) > 0 {
		for _, fault := range faults {
			fmt.Println("FAIL:", fault)
		}
		os.Exit(1)
	}
}

// endings are the signals that end a trial. nohup stays what it is.
func endings() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}

func judge(ctx context.Context, out, filter string, at int) (*trial, error) {
	trial, err := prepare(ctx, out, filter)
	if err != nil {
		return nil, err
	}
	return trial, trial.runAll(ctx, at)
}

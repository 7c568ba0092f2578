//go:build darwin || linux

// Judge measures the scenarios, from the root of their module: it runs the scenarios that are about any monitor against
// each wrong monitor of scenarios/mutant, and prints which scenario kills which mutant.
// It fails if a mutant survives, if a scenario kills none, or if the mutant without a
// fault is killed. Scenarios labelled orders, stress, shell:zsh and shell:sh are left
// out: they take long and kill no mutant that others do not.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Exit statuses beside 0 and 1, which are for a finished trial.
const (
	exitTrouble     = 2
	exitInterrupted = 130 // as a shell has it for SIGINT
)

func main() {
	out := flag.String("out", "../out/mutants", "directory for programs, reports and what the runs print")
	filter := flag.String("filter", "!gemini && !stress && !orders && !shell:zsh && !shell:sh", "labels of the scenarios")
	at := flag.Int("procs", places(), "mutants that are judged at a time")
	keep := flag.Bool("keep", false, "keep the report of each failed scenario, in reports below -out")
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
			fmt.Fprintln(os.Stderr, "judge:", err) // what an interrupted run left behind
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

// endings returns the signals that end a trial. SIGHUP is one unless it is ignored, as
// under nohup.
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

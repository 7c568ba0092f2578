package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/monitor/resident"
)

func newPrune(g *global) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Go on with what dead monitors have left",
		Long: `prune has the resident monitor take over every runtime that has no monitor. Where a
process of the runtime lives, it is watched again. Where none does, it is removed, or idle
if it is durable.

It prints each runtime with what became of it: "taken over", "watched" by a monitor that
it has, "starting", "idle", or "left" with the reason. Exit code 1: something was left.`,
		Example: `  monitor prune
  monitor prune --json`,
		Args: arguments(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			found, err := g.prune(cmd.Context())
			if err != nil {
				return err
			}
			left := 0
			for _, f := range found {
				if f.Outcome == resident.Left {
					left++
				}
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), found)
			} else {
				err = printFindings(cmd.OutOrStdout(), found)
			}
			if err == nil && left > 0 {
				err = fmt.Errorf("%d of %d runtimes stay without a monitor", left, len(found))
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printFindings(out io.Writer, found []resident.Finding) error {
	for _, f := range found {
		if _, err := fmt.Fprintln(out, findingLine(f)); err != nil {
			return err
		}
	}
	return nil
}

func findingLine(f resident.Finding) string {
	if f.Reason == "" {
		return fmt.Sprintf("%s: %s", f.Name, f.Outcome)
	}
	return fmt.Sprintf("%s: %s: %s", f.Name, f.Outcome, plain(f.Reason))
}

func (g *global) prune(ctx context.Context) ([]resident.Finding, error) {
	store, err := g.open()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(store.Dir()); errors.Is(err, fs.ErrNotExist) {
		return []resident.Finding{}, nil
	}
	client, err := g.client(store, nil)
	if err != nil {
		return nil, err
	}
	if client == nil {
		return nil, errors.New("prune needs the resident monitor, and there is to be none")
	}
	limited, done := context.WithTimeout(ctx, patience)
	defer done()
	found, err := client.Adopt(limited)
	if found == nil {
		found = []resident.Finding{}
	}
	return found, err
}

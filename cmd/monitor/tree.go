package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

func newTree(g *global) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "tree [NAME|PID]",
		Short: "Draw the members of a runtime, or what descends from a process",
		Long: `tree draws the live members of the runtime that NAME names, or that it is called
in. With a PID that is not the name of a runtime it draws that process and what
descends from it. An orphan hangs where it joined, with the evidence.`,
		Example: `  monitor tree
  monitor tree build
  monitor tree 4711`,
		Args: arguments(0, 1, "at most the name of a runtime, or a PID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			members, err := g.members(cmd.Context(), args)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), members)
			}
			printTree(cmd.OutOrStdout(), members)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// members returns the live members of what the argument names.
func (g *global) members(ctx context.Context, args []string) ([]trees.Member, error) {
	status, err := g.status(ctx, args)
	switch {
	case err == nil && status.State == monitor.StateBroken:
		return nil, errors.New(status.Reason)
	case err == nil && headcount(status) == unknowable:
		return nil, fmt.Errorf("runtime %q is unknown: %s", status.Name, status.Reason)
	}
	if err == nil || len(args) == 0 || !errors.Is(err, monitor.ErrNotExist) {
		return status.Members, err
	}
	if _, noNumber := strconv.Atoi(args[0]); noNumber != nil {
		return nil, err
	}
	pid, err := parsePID(args[0])
	if err != nil {
		return nil, err
	}
	t, err := tracker.New(tracker.Options{})
	if err != nil {
		return nil, err
	}
	defer t.Close()
	tree, err := t.Track(ctx, pid)
	if err != nil {
		return nil, noProcess(pid, err)
	}
	return tree.Members(), nil
}

// printTree draws each member below its parent. Where the parent is no member, it
// draws it below the member that its link leads to.
func printTree(out io.Writer, members []trees.Member) {
	byPID := make(map[int]bool)
	for _, m := range members {
		byPID[m.PID] = true
	}
	below := make(map[int][]trees.Member)
	for _, m := range members {
		above := m.Parent
		if !byPID[above] {
			above = m.Link.Through.PID
		}
		if !byPID[above] || m.Link.Kind == trees.LinkRoot {
			above = 0
		}
		below[above] = append(below[above], m)
	}
	for _, m := range below[0] {
		fmt.Fprintln(out, describe(m))
		printBelow(out, below, m.PID, "")
	}
}

func printBelow(out io.Writer, below map[int][]trees.Member, pid int, indent string) {
	for i, m := range below[pid] {
		branch, next := "├─ ", "│  "
		if i == len(below[pid])-1 {
			branch, next = "└─ ", "   "
		}
		fmt.Fprintln(out, indent+branch+describe(m))
		printBelow(out, below, m.PID, indent+next)
	}
}

func describe(m trees.Member) string {
	text := fmt.Sprintf("%d %s", m.PID, plain(m.Command.String()))
	if m.State != process.Running {
		text += " (" + m.State.String() + ")"
	}
	if m.Parent != m.Link.Through.PID && m.Link.Kind != trees.LinkRoot {
		text += ", joined as " + plain(m.Link.String())
	}
	return text
}

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
	"github.com/gemini-monitor/gemini/tracker/trees"
)

func newTree(g *global) *cobra.Command {
	var asJSON, quiet bool
	cmd := &cobra.Command{
		Use:   "tree [NAME|PID]",
		Short: "Draw the members of a runtime, or what descends from a process",
		Long: `tree draws the live members of the runtime that NAME names, or that it is called
in: PID, command line, age, the user if it is another one, and the state of one that
does not run. With a PID that is not the name of a runtime it draws that process and
what descends from it. An orphan hangs where it joined, with the evidence. On a
terminal, command lines are cut where the line ends.

Processes that were released from the runtime are drawn apart, below the others. With --json
and --quiet they are left out.

Where it is unknown whether a runtime has members, those that are known are drawn, and
a line on standard error says so.`,
		Example: `  monitor tree
  monitor tree build
  monitor tree -q build
  monitor tree 4711`,
		Args: arguments(0, 1, "at most the name of a runtime, or a PID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if asJSON && quiet {
				return usageError("tree takes --json or --quiet, not both")
			}
			members, released, err := g.members(cmd.Context(), args)
			if err != nil {
				return err
			}
			if quiet {
				return printPIDs(cmd.OutOrStdout(), members)
			}
			observer := newObserver()
			defer observer.close()
			if asJSON {
				return printJSON(cmd.OutOrStdout(), observer.members(members))
			}
			if err := printTree(cmd.OutOrStdout(), observer.members(members), viewFor(cmd.OutOrStdout())); err != nil || len(released) == 0 {
				return err
			}
			return printReleased(cmd.OutOrStdout(), observer.members(released), viewFor(cmd.OutOrStdout()))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "print PIDs only")
	return cmd
}

// members returns the live members of what the argument names, and the processes that were
// released from it. Where there may be other members than those that are known, it tells the
// user.
func (g *global) members(ctx context.Context, args []string) (members, released []trees.Member, err error) {
	status, err := g.status(ctx, args)
	switch {
	case err == nil && status.State == monitor.StateBroken:
		return nil, nil, errors.New(status.Reason)
	case err == nil && status.State == monitor.StateIdle:
		remark("runtime %q is idle: it has no process", status.Name)
	case err == nil && status.State == monitor.StateUnknown:
		remark("there may be other members: runtime %q is unknown: %s", status.Name, status.Reason)
	}
	if err == nil || len(args) == 0 || !errors.Is(err, monitor.ErrNotExist) {
		return status.Members, status.Released, err
	}
	if _, noNumber := strconv.Atoi(args[0]); noNumber != nil {
		return nil, nil, err
	}
	pid, err := parsePID(args[0])
	if err != nil {
		return nil, nil, err
	}
	t, err := tracker.New(tracker.Options{})
	if err != nil {
		return nil, nil, err
	}
	defer t.Close()
	tree, err := t.Track(ctx, pid)
	if err != nil {
		return nil, nil, noProcess(pid, err)
	}
	return tree.Members(), nil, nil
}

func printPIDs(out io.Writer, members []trees.Member) error {
	for _, m := range members {
		if _, err := fmt.Fprintln(out, m.PID); err != nil {
			return err
		}
	}
	return nil
}

// A drawing has each member below its parent. Where the parent is no member, it is below
// the one that its link leads to.
type drawing struct {
	out   io.Writer
	view  view
	below map[int][]shownMember
}

func printTree(out io.Writer, members []shownMember, v view) error {
	byPID := make(map[int]bool)
	for _, m := range members {
		byPID[m.PID] = true
	}
	d := drawing{out, v, make(map[int][]shownMember)}
	for _, m := range members {
		above := m.Parent
		if !byPID[above] {
			above = m.Link.Through.PID
		}
		if !byPID[above] || m.Link.Kind == trees.LinkRoot {
			above = 0
		}
		d.below[above] = append(d.below[above], m)
	}
	for _, m := range d.below[0] {
		if err := d.print("", "", m); err != nil {
			return err
		}
	}
	return nil
}

// printReleased prints below the members the processes that do not count any more.
func printReleased(out io.Writer, released []shownMember, v view) error {
	if _, err := fmt.Fprintln(out, "released, running on:"); err != nil {
		return err
	}
	return printTree(out, released, v)
}

// print prints a member, with the branch to it, and those below it.
func (d drawing) print(branch, indent string, m shownMember) error {
	if _, err := fmt.Fprintln(d.out, d.view.line(branch, m)); err != nil {
		return err
	}
	all := d.below[m.PID]
	for i, child := range all {
		branch, next := "├─ ", "│  "
		if i == len(all)-1 {
			branch, next = "└─ ", "   "
		}
		if err := d.print(indent+branch, indent+next, child); err != nil {
			return err
		}
	}
	return nil
}

// line returns the line of a member in a drawing.
func (v view) line(branch string, m shownMember) string {
	after := v.circumstances(m.Process, m.detail)
	switch {
	case m.Link.Kind == trees.LinkJoin:
		after += ", " + m.Link.String()
	case m.Parent != m.Link.Through.PID && m.Link.Kind != trees.LinkRoot:
		after += ", joined as " + plain(m.Link.String())
	}
	return fit(fmt.Sprintf("%s%d ", branch, m.PID), m.command(m.Process), after, v.width)
}

package main

import (
	"cmp"
	"context"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

func newWhy(g *global) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "why [NAME]",
		Short: "Explain what keeps a runtime",
		Long: `why shows what keeps the runtime that NAME names, or that it is called in: each live
member with its command line, its age, the user if it is another one, and how it came to
be a member, up to the command. Its last line says what would end the runtime.

Where members are not known with certainty (the states unknown, unmonitored and broken),
it also looks for the processes that hold the lease, the open file that every process of
a runtime inherits: in /proc on Linux, with lsof on macOS. The files of another user's
process are shown to root alone; why says how many it could not look into.

why names neither itself nor the monitor of the runtime.`,
		Example: `  monitor why
  monitor why build
  monitor why --json build`,
		Args: arguments(0, 1, "at most the name of a runtime"),
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := g.why(cmd.Context(), args)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), w)
			}
			return printWhy(cmd.OutOrStdout(), w, viewFor(cmd.OutOrStdout()))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// An explanation is what keeps a runtime. docs/store.md documents its JSON.
type explanation struct {
	Name   string          `json:"name"`
	State  monitor.State   `json:"state"`
	Reason string          `json:"reason,omitempty"`
	Limits monitor.Limits  `json:"limits,omitzero"`
	Ending *monitor.Ending `json:"ending,omitempty"`
	// Members are those that live, the oldest first.
	Members []explainedMember `json:"members"`
	// Released are live processes that do not count any more.
	Released []shownMember `json:"released,omitempty"`
	// Holders hold the lease and are neither.
	Holders []shownProcess `json:"holders,omitempty"`
	// Unseen is how many processes may hold the lease as well, because their files may not
	// be seen.
	Unseen int `json:"unseen,omitempty"`
	// Unasked is why the holders cannot be found out.
	Unasked string `json:"holders_unknown,omitempty"`
	// EndedBy is a command that ends the runtime.
	EndedBy string `json:"ended_by,omitempty"`

	owner   process.Identity
	created time.Time
	place   string // of a broken runtime
	sought  bool   // holders were looked for
	forgoes bool   // the command that ends it gives the on-empty command up
}

// An explainedMember is a member with those through which it joined, the nearest first.
type explainedMember struct {
	shownMember
	Chain []chainLink `json:"chain"`
}

// A chainLink is a member, or a former one, through which others joined.
type chainLink struct {
	process.Identity
	// Command is the kernel's name of its program, if it lives.
	Command string     `json:"command,omitempty"`
	Alive   bool       `json:"alive"`
	Link    trees.Link `json:"link"`
}

// holding is how long the search for the holders of a lease may take.
const holding = 10 * time.Second

// why explains the runtime that the arguments name, or the current one.
func (g *global) why(ctx context.Context, args []string) (*explanation, error) {
	status, survey, store, err := g.survey(ctx, args)
	if err != nil {
		return nil, err
	}
	w := &explanation{
		Name: status.Name, State: status.State, Reason: status.Reason, Limits: status.Limits, Ending: status.Ending,
		Members: []explainedMember{}, owner: status.Owner, created: status.Created,
	}
	observer := newObserver()
	defer observer.close()
	ours := monitors(ctx, store, status)
	status.Members = slices.DeleteFunc(status.Members, func(m trees.Member) bool { return ours[m.PID] })
	w.Released = observer.members(status.Released)
	runtime, err := store.Runtime(status.Name)
	if err == nil {
		links, _ := runtime.Links() // where they cannot be read, the state says so
		w.addMembers(observer, status.Members, links)
	}
	if err == nil && slices.Contains(doubtful, w.State) {
		w.seekHolders(ctx, observer, survey, runtime, ours)
	}
	switch {
	case err == nil && w.State == monitor.StateBroken:
		w.place = runtime.Dir()
	case w.State == monitor.StateIdle:
		w.EndedBy = g.commandOf("rm", w.Name)
	case status.StaysForOnEmpty():
		w.EndedBy, w.forgoes = g.commandOf("rm", "--force", w.Name), true
	case len(w.Members) > 0:
		w.EndedBy = g.stopCommand(w.Name, w.Ending != nil)
	}
	return w, nil
}

// doubtful are the states in which processes that are no known members may count.
var doubtful = []monitor.State{monitor.StateUnknown, monitor.StateUnmonitored, monitor.StateBroken}

// stopCommand returns the command that ends a runtime, or that ends the grace of one whose
// members are told to end, in the form that a shell reads back.
func (g *global) stopCommand(name string, told bool) string {
	words := []string{"stop", name}
	if told {
		words = append(words, "--grace", "0")
	}
	return g.commandOf(words...)
}

// commandOf returns a command of this program for the store, in the form that a shell reads
// back.
func (g *global) commandOf(words ...string) string {
	words = append([]string{"monitor"}, words...)
	if g.store != "" {
		words = slices.Insert(words, 1, "--store", g.store)
	}
	return commandLine(words)
}

// monitors returns the PIDs of the calling process, of the monitor of a runtime, and of the
// resident monitor of its store and its guard.
func monitors(ctx context.Context, store *monitor.Store, status monitor.Status) map[int]bool {
	pids := map[int]bool{os.Getpid(): true}
	own := []process.Identity{}
	if status.Monitor != nil {
		own = append(own, *status.Monitor)
	}
	if card, err := resident.ReadCard(store); err == nil {
		own = append(own, card.Process)
	}
	for _, id := range own {
		if now, err := process.Lookup(id.PID); err == nil && now.Identity == id {
			pids[id.PID] = true
		}
	}
	limited, done := context.WithTimeout(ctx, answering)
	defer done()
	if serving, _, err := resident.Ask(limited, store); err == nil && serving.Guard != 0 {
		pids[serving.Guard] = true
	}
	return pids
}

func (w *explanation) addMembers(o *observer, members []trees.Member, links monitor.Links) {
	alive := make(map[process.Identity]process.Process)
	for _, m := range members {
		alive[m.Identity] = m.Process
	}
	for _, m := range o.members(members) {
		one := explainedMember{shownMember: m, Chain: []chainLink{}}
		for _, link := range links.Chain(m.Identity) {
			now, lives := alive[link.Identity]
			l := chainLink{Identity: link.Identity, Alive: lives, Link: link.Link}
			if lives {
				l.Command = now.Command.String()
			}
			one.Chain = append(one.Chain, l)
		}
		w.Members = append(w.Members, one)
	}
}

// seekHolders looks for the processes that hold the lease and are neither members nor released.
func (w *explanation) seekHolders(ctx context.Context, o *observer, survey *monitor.Survey, r *monitor.Runtime, ours map[int]bool) {
	limited, done := context.WithTimeout(ctx, holding)
	defer done()
	w.sought = true
	found, err := survey.Holders(limited, r)
	if err != nil {
		w.Unasked = oneLine(err)
		return
	}
	members := make(map[process.Identity]bool)
	for _, m := range w.Members {
		members[m.Identity] = true
	}
	for _, m := range w.Released {
		members[m.Identity] = true
	}
	others := slices.DeleteFunc(found.Found, func(p process.Process) bool { return members[p.Identity] || ours[p.PID] })
	slices.SortFunc(others, func(a, b process.Process) int { return cmp.Compare(a.Start, b.Start) })
	w.Holders, w.Unseen = o.processes(others), found.Unseen
}

package monitor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// A Past is what the history of a store keeps of a runtime that was removed, or of a run of a
// durable one.
type Past struct {
	Name string `json:"name"`
	// How the runtime has ended: [CauseEnded], or why its members were told to end.
	How Cause `json:"how"`
	// Owner is the process that became the command.
	Owner process.Identity `json:"owner"`
	// Command is the beginning of the command line, in whole words. The last word is "…"
	// where more words followed.
	Command []string `json:"command"`
	// StartedIn is the directory where the command was started.
	StartedIn string    `json:"started_in,omitempty"`
	Created   time.Time `json:"created"`
	Ended     time.Time `json:"ended"`
}

// CauseEnded is how a runtime ended whose members were not told to end.
const CauseEnded Cause = "ended"

// The files of the history. A full one takes the place of the earlier one.
const (
	historyFile        = "history.jsonl"
	earlierHistoryFile = historyFile + ".1"
)

const (
	// historySize is how many bytes a history has before the next line begins another one.
	historySize = 256 << 10
	// historyLook is how many bytes at the end of a file are read. Only a file of another
	// program has more.
	historyLook = 2 * historySize
	// commandSize is how many bytes of a command are kept.
	commandSize = 2 << 10
)

// pastOf returns what is kept of a runtime that ends now.
func pastOf(r Record, now time.Time) Past {
	p := Past{
		Name: r.Name, How: CauseEnded, Owner: r.Owner, Command: beginningOf(r.Command),
		StartedIn: r.StartedIn, Created: r.Created.UTC(), Ended: now.UTC(),
	}
	if r.Ending != nil && r.Ending.By != "" {
		p.How = r.Ending.By
	}
	if len(p.StartedIn) > commandSize {
		p.StartedIn = ""
	}
	return p
}

// beginningOf returns the words at the beginning of a command that fit into commandSize.
func beginningOf(command []string) []string {
	size := 0
	for i, word := range command {
		if size += len(word); size > commandSize {
			return append(slices.Clone(command[:i]), "…")
		}
	}
	return append([]string{}, command...)
}

func (s *Store) history() string { return filepath.Join(s.dir, historyFile) }

// History returns the runtimes that were removed, as far as the history goes back, in the
// order in which they ended. What is no line of a history is left out. The error is about a
// file that cannot be read; what the other one has is returned too.
func (s *Store) History() ([]Past, error) {
	// The present file is read first. Where it becomes the earlier one between the reads, its
	// lines are read twice, and none is missed.
	present, unread := readHistory(s.history())
	earlier, err := readHistory(filepath.Join(s.dir, earlierHistoryFile))
	// The last line of an owner counts: a monitor may have died when it had written one.
	seen := make(map[string]bool)
	all := []Past{}
	for _, p := range slices.Backward(append(earlier, present...)) {
		key := fmt.Sprint(p.Name, "/", p.Owner)
		if !seen[key] {
			seen[key] = true
			all = append(all, p)
		}
	}
	slices.Reverse(all)
	slices.SortStableFunc(all, func(a, b Past) int { return a.Ended.Compare(b.Ended) })
	return all, errors.Join(unread, err)
}

// readHistory returns the runtimes in the last lines of a file. One that does not exist has
// none.
func readHistory(path string) (all []Past, err error) {
	file, size, err := openPast(path)
	if file == nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.NewSectionReader(file, max(0, size-historyLook), historyLook))
	if err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	return pastsOf(text), nil
}

// pastsOf returns the runtimes in the lines of a text. A line that was cut short, or is none
// of a history, is passed over.
func pastsOf(text []byte) (all []Past) {
	for line := range bytes.Lines(text) {
		if p, is := pastOfLine(line); is {
			all = append(all, p)
		}
	}
	return all
}

// pastOfLine returns the runtime in a line, and whether it is a line of a history.
func pastOfLine(line []byte) (p Past, is bool) {
	is = json.Unmarshal(line, &p) == nil && validName(p.Name) && p.Owner.PID > 0 && p.How != "" && !p.Ended.IsZero()
	return p, is
}

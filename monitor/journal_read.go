package monitor

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A JournalEntry is one line of a journal.
type JournalEntry struct {
	Time  time.Time        `json:"time"`
	Event trees.ChangeKind `json:"event"`
	// Member is the process that joined or left, or is released, and nil for other events.
	Member *trees.Member `json:"member,omitempty"`
	// State is that of the record, for [StateChanged] and [Shortened].
	State State `json:"state,omitempty"`
	// Reason is why the table could not be read, or that of the state.
	Reason string `json:"reason,omitempty"`
	// Since is when an earlier monitor was last known to watch, for [Unwatched].
	Since *time.Time `json:"since,omitempty"`
	// Before is how many events the journal has had, and Kept how many of the lines behind
	// this one repeat some of them, for [Shortened].
	Before int `json:"before,omitempty"`
	Kept   int `json:"kept,omitempty"`
}

// Unwatched is the event of a journal that a monitor went on after an earlier one had ended
// without removing the runtime. What happened between is known from the process table
// alone.
const Unwatched trees.ChangeKind = "unwatched"

const (
	// StateChanged is the event of a journal that the record has got another state.
	StateChanged trees.ChangeKind = "state"
	// Shortened begins a journal that was written anew. It is no event of the runtime.
	Shortened trees.ChangeKind = "shortened"
)

func entryOf(c trees.Change) JournalEntry {
	e := JournalEntry{Time: c.Time.UTC(), Event: c.Kind}
	switch c.Kind {
	case trees.Joined, trees.Left, trees.Released, trees.Ended:
		e.Member = &c.Member
	}
	if c.Err != nil {
		e.Reason = c.Err.Error()
	}
	return e
}

// Journal reads the journal of the runtime: the entries that were in it when the
// iteration began, oldest first. A part of a line at the end is left out: it is
// being written. An error ends the iteration; it is [ErrBroken] where a line is
// no entry.
//
// A long journal is shortened from time to time. Then it begins with [Shortened], the present
// members, and the former ones that may link a process or have linked a member.
func (r *Runtime) Journal() iter.Seq2[JournalEntry, error] {
	return func(yield func(JournalEntry, error) bool) {
		for line, err := range readEntries(r.path(journalFile)) {
			if err != nil {
				err = r.wrap(err)
			}
			if !yield(line.JournalEntry, err) {
				return
			}
		}
	}
}

// A journalLine is an entry and its length in the file.
type journalLine struct {
	JournalEntry
	size int
}

// readEntries iterates over the whole lines of a journal. An error ends that.
func readEntries(path string) iter.Seq2[journalLine, error] {
	return func(yield func(journalLine, error) bool) {
		file, err := openRegular(path, os.O_RDONLY)
		if err != nil {
			yield(journalLine{}, fmt.Errorf("read journal: %w", err))
			return
		}
		defer file.Close()
		lines, place := bufio.NewReader(file), 0
		for {
			text, err := lines.ReadBytes('\n')
			if errors.Is(err, io.EOF) {
				return
			}
			line := journalLine{size: len(text)}
			if err != nil {
				err = fmt.Errorf("read journal: %w", err)
			} else if err = json.Unmarshal(text, &line.JournalEntry); err != nil {
				err = fmt.Errorf("%w: journal, byte %d: %w", ErrBroken, place, err)
			}
			if !yield(line, err) || err != nil {
				return
			}
			place += len(text)
		}
	}
}

// readCast returns the cast by a journal, whose members may have died since.
func readCast(path string) (cast, error) {
	c := newCast()
	for line, err := range readEntries(path) {
		if err != nil {
			return cast{}, err
		}
		c.take(line.JournalEntry)
	}
	return c, nil
}

// A place is how far a journal was read, in events: also across the files of which it was
// shortened to the next. The zero place is the beginning.
type place struct {
	count  int
	repeat int // how many of the next lines repeat events
}

// pass goes behind a line. It reports whether the line is an event, and not a repetition.
func (p *place) pass(e JournalEntry) (isNew bool) {
	switch {
	case e.Event == Shortened:
		p.count, p.repeat = e.Before, e.Kept
		return false
	case p.repeat > 0:
		p.repeat--
		return false
	}
	p.count++
	return true
}

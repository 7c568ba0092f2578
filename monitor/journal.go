package monitor

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// An Entry is one line of a journal.
type Entry struct {
	Time  time.Time        `json:"time"`
	Event trees.ChangeKind `json:"event"`
	// Member is who joined or left.
	Member *trees.Member `json:"member,omitempty"`
	// Reason is why the table could not be read.
	Reason string `json:"reason,omitempty"`
}

func entryOf(c trees.Change) Entry {
	e := Entry{Time: c.Time.UTC(), Event: c.Kind}
	if c.Kind == trees.Joined || c.Kind == trees.Left {
		e.Member = &c.Member
	}
	if c.Err != nil {
		e.Reason = c.Err.Error()
	}
	return e
}

// A journal is the monitor's memory: the next monitor goes on from it. It is
// not synced to disk, because none of its processes outlives the machine.
type journal struct {
	path  string
	file  *os.File
	lines int
	cast
}

// A cast is who takes part in a runtime, by its journal.
type cast struct {
	members map[process.Identity]trees.Member
	// former members, who have left. Those who created a group or session
	// that a member is in can still link an orphan.
	former map[process.Identity]trees.Member
}

// take changes the cast as an entry says. It reports whether that says anything
// new: the first link of a member says more than a later one.
func (c *cast) take(e Entry) (isNew bool) {
	if e.Member == nil {
		return true
	}
	id := e.Member.Identity
	_, known := c.members[id]
	switch {
	case e.Event == trees.Joined && !known:
		c.members[id] = *e.Member
		delete(c.former, id)
	case e.Event == trees.Left:
		delete(c.members, id)
		c.former[id] = *e.Member
	default:
		return false
	}
	return true
}

// dismiss forgets the former members who can hardly link anybody. A group that
// a member came into after it had joined is not known here.
func (c *cast) dismiss() {
	named := make(map[int]bool)
	for _, m := range c.members {
		named[m.Group], named[m.Session] = true, true
	}
	maps.DeleteFunc(c.former, func(id process.Identity, _ trees.Member) bool { return !named[id.PID] })
}

// relatives returns all who are members or may link one.
func (c *cast) relatives() []process.Identity {
	return slices.AppendSeq(slices.Collect(maps.Keys(c.members)), maps.Keys(c.former))
}

// maxLines is how long a journal may get before the lines about processes that
// have left are dropped, unless it is mostly about members.
const maxLines = 4096

// openJournal reads a journal and opens it for appending.
func openJournal(path string) (*journal, error) {
	cast, whole, err := readJournal(path)
	if err != nil {
		return nil, err
	}
	// Half a line at the end is from a monitor that was killed in the middle.
	if err := os.Truncate(path, whole); err != nil {
		return nil, fmt.Errorf("mend journal: %w", err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	return &journal{path: path, file: file, cast: cast}, nil
}

// append writes all changes of one moment at once.
func (j *journal) append(changes []trees.Change) error {
	var entries []Entry
	for _, c := range changes {
		if e := entryOf(c); j.take(e) {
			entries = append(entries, e)
		}
	}
	if j.lines += len(entries); j.lines > maxLines && j.lines > 4*len(j.members) {
		return j.rewrite()
	}
	return writeEntries(j.file, entries)
}

func writeEntries(file *os.File, entries []Entry) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	for _, e := range entries {
		if err := encoder.Encode(e); err != nil {
			return fmt.Errorf("write journal: %w", err)
		}
	}
	if _, err := file.Write(text.Bytes()); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}

// rewrite replaces the journal by one that has the present members only, and
// the former ones who can link somebody.
func (j *journal) rewrite() error {
	j.dismiss()
	var entries []Entry
	for _, m := range j.members {
		entries = append(entries, Entry{Time: m.Joined.UTC(), Event: trees.Joined, Member: &m})
	}
	for _, m := range j.former {
		entries = append(entries, Entry{Time: m.Joined.UTC(), Event: trees.Left, Member: &m})
	}
	file, err := os.OpenFile(j.path+".new", os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("rewrite journal: %w", err)
	}
	err = writeEntries(file, entries)
	if err == nil {
		err = os.Rename(file.Name(), j.path)
	}
	if err != nil {
		file.Close()
		return fmt.Errorf("rewrite journal: %w", err)
	}
	j.file.Close()
	j.file, j.lines = file, len(entries)
	return nil
}

func (j *journal) close() error { return j.file.Close() }

// readJournal returns who takes part by a journal, and the length of its whole
// lines in bytes. They may have died since.
func readJournal(path string) (c cast, whole int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return c, 0, fmt.Errorf("read journal: %w", err)
	}
	defer file.Close()
	c = cast{make(map[process.Identity]trees.Member), make(map[process.Identity]trees.Member)}
	for lines := bufio.NewReader(file); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return c, whole, nil
		}
		if err != nil {
			return c, 0, fmt.Errorf("read journal: %w", err)
		}
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return c, 0, fmt.Errorf("%w: journal, byte %d: %w", ErrBroken, whole, err)
		}
		whole += int64(len(line))
		c.take(e)
	}
}

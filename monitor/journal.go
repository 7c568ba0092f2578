package monitor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A journal is the monitor's memory: the next monitor goes on from it. It is
// not synced to disk, because none of its processes outlives the machine.
//
// What cannot be written is kept, and written with the next append.
type journal struct {
	path string
	file *os.File
	extent
	cast
	// missing entries are in the cast and not in the file.
	missing []JournalEntry
	// torn: the file may end with a part of a line.
	torn bool
	// stale: the file lacks more than missing. The cast has it all.
	stale bool
	// count is how many events there were so far, those that are not in the file too.
	count int
	// said is the last state in it.
	said statement
}

// An extent is how much of a journal consists of whole lines.
type extent struct {
	lines int
	bytes int64
}

// maxLines is how long a journal may get before the lines about processes that
// have left are dropped, unless it is mostly about members.
const maxLines = 4096

// openJournal reads a journal and opens it for appending. A part of a line at
// its end is from a monitor that was killed while it wrote: it is cut off.
func openJournal(path string) (*journal, error) {
	j := &journal{path: path, cast: newCast()}
	var at place
	for line, err := range readEntries(path) {
		if err != nil {
			return nil, err
		}
		j.cast.take(line.JournalEntry)
		at.pass(line.JournalEntry)
		j.lines++
		j.bytes += int64(line.size)
		if line.State != "" {
			j.said = statement{line.State, line.Reason}
		}
	}
	j.count = at.count
	if err := os.Truncate(path, j.bytes); err != nil {
		return nil, fmt.Errorf("mend journal: %w", err)
	}
	file, err := openRegular(path, os.O_WRONLY|os.O_APPEND)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j.file = file
	return j, nil
}

// append writes all changes of one moment at once, behind the entries that are
// missing. After an error the changes are missing too.
func (j *journal) append(changes []trees.Change) error {
	for _, c := range changes {
		if e := entryOf(c); j.take(e) {
			j.note(e)
		}
	}
	if lines := j.lines + len(j.missing); j.stale || lines > maxLines && lines > 4*(len(j.members)+len(j.released)) {
		_ = j.flush() // for readers that have the file open
		return j.rewrite()
	}
	return j.flush()
}

// note has an event written with the next flush.
func (j *journal) note(e JournalEntry) {
	j.missing = append(j.missing, e)
	j.count++
}

// state adds a state, where it is another one than the last. What cannot be written is added
// with the next change.
func (j *journal) state(says statement) {
	if j.said == says {
		return
	}
	j.said = says
	j.note(JournalEntry{Time: time.Now().UTC(), Event: StateChanged, State: says.state, Reason: says.reason})
	_ = j.flush()
}

// resume notes that the runtime was not watched since a time. It is no error where that
// cannot be written yet.
func (j *journal) resume(since time.Time) {
	since = since.UTC()
	j.note(JournalEntry{Time: time.Now().UTC(), Event: Unwatched, Since: &since})
	_ = j.flush()
}

// flush writes the missing entries behind the last whole line.
func (j *journal) flush() error {
	if j.torn {
		if err := j.file.Truncate(j.bytes); err != nil {
			return fmt.Errorf("mend journal: %w", err)
		}
		j.torn = false
	}
	if len(j.missing) == 0 {
		return nil
	}
	size, err := writeEntries(j.file, j.missing)
	if err != nil {
		j.torn = true
		return err
	}
	j.lines, j.bytes = j.lines+len(j.missing), j.bytes+size
	j.missing = nil
	return nil
}

// writeEntries returns how many bytes the entries take.
func writeEntries(file *os.File, entries []JournalEntry) (size int64, err error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	for _, e := range entries {
		if err := encoder.Encode(e); err != nil {
			return 0, fmt.Errorf("write journal: %w", err)
		}
	}
	if _, err := file.Write(text.Bytes()); err != nil {
		return 0, fmt.Errorf("write journal: %w", err)
	}
	return int64(text.Len()), nil
}

// rewrite replaces the journal by one that has the present members only, and
// the former ones that can link a process. After an error the old one stays, and
// the next append tries again.
func (j *journal) rewrite() error {
	j.dismiss()
	j.missing, j.stale = nil, true
	file, err := os.OpenFile(j.path+".new", os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("rewrite journal: %w", err)
	}
	entries := j.entries()
	entries = slices.Insert(entries, 0, JournalEntry{
		Time: time.Now().UTC(), Event: Shortened, State: j.said.state, Reason: j.said.reason, Before: j.count, Kept: len(entries),
	})
	size, err := writeEntries(file, entries)
	if err == nil {
		err = file.Chmod(0o600) // whatever the umask is
	}
	if err == nil {
		err = os.Rename(file.Name(), j.path)
	}
	if err != nil {
		return fmt.Errorf("rewrite journal: %w", errors.Join(err, file.Close(), os.Remove(file.Name())))
	}
	j.file.Close()
	j.file, j.extent = file, extent{len(entries), size}
	j.torn, j.stale = false, false
	return nil
}

func (j *journal) close() error { return j.file.Close() }

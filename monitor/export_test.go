package monitor

import (
	"context"
	"io"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// The names that the specs use.

const (
	RecordFile  = recordFile
	LeaseFile   = leaseFile
	LockFile    = lockFile
	JournalFile = journalFile
	LogFile     = logFile
	MaxLines    = maxLines

	HistoryFile = historyFile
	HistorySize = historySize
	CommandSize = commandSize
	Unattended  = unattended
	LockLook    = lockLook

	HistoryBlock = historyBlock
)

// SetClearing sets how long a start waits for the lease of a runtime that seems to be
// over, and returns what restores it.
func SetClearing(d time.Duration) (restore func()) {
	before := clearing
	clearing = d
	return func() { clearing = before }
}

// SetConcluding does the same for a monitor that seems to be removing its runtime.
func SetConcluding(d time.Duration) (restore func()) {
	before := concluding
	concluding = d
	return func() { concluding = before }
}

func PastOf(r Record, now time.Time) Past { return pastOf(r, now) }
func LinesBackwards(file io.ReaderAt, from, to, block int64) iter.Seq2[[]byte, error] {
	return linesBackwards(file, from, to, block)
}

// BreakJournal has every write of the journal fail.
func BreakJournal(w *Watching) { w.journal.file.Close() }

func (s *Store) AddPast(p Past) error      { return s.addPast(p) }
func (s *Store) Path(file string) string   { return filepath.Join(s.dir, file) }
func (s *Store) SetAside(r *Runtime) error { _, err := r.setAside(); return err }

// AwaitUnreported is Await where neither the directory nor the lock can be watched.
func (s *Store) AwaitUnreported(ctx context.Context, w Wait) error {
	a := &awaiting{store: s, Wait: w, wake: make(chan struct{}, 1), beat: quickLook}
	defer a.leave()
	dir, err := s.locate(w.Name, w.Owner)
	if err != nil {
		return err
	}
	a.watch(dir)
	a.vigil.Close()
	a.released.close()
	a.vigil, a.released = nil, nil
	return a.run(ctx)
}

func PauseOf(beat time.Duration, seen, heard, held bool) (time.Duration, bool) {
	return pauseOf(beat, seen, heard, held)
}

func (r *Reserve) Lend() (back func()) { return r.lend() }

func ReadRecord(dir string) (Record, error)                 { return readRecord(dir) }
func (r Record) Write(dir string) error                     { return r.write(dir) }
func (r *Runtime) Path(file string) string                  { return r.path(file) }
func (r *Runtime) HoldLease() (*os.File, error)             { return holdLease(r.Dir()) }
func (r *Runtime) OpenLock() (*os.File, error)              { return r.openLock() }
func (r *Runtime) Take(lock *os.File) error                 { return r.take(lock) }
func (r *Runtime) Remove() error                            { return r.remove() }
func (s *Store) Runtimes() string                           { return s.runtimes() }
func (s *Store) Trash() string                              { return s.trash() }
func StageOf(maker process.Identity, machine string) string { return stageOf(maker, machine) }
func LastOfEach(env []string) []string                      { return lastOfEach(env) }

func ReadMachine() (string, error) { return readMachine() }

type LeaseWitness struct{ *leaseWitness }

func (r *Runtime) LeaseWitness() (LeaseWitness, error) {
	w, err := r.leaseWitness()
	return LeaseWitness{w}, err
}

func (w LeaseWitness) Free() (bool, error) { return w.free() }
func (w LeaseWitness) Close() error        { return w.close() }

type Listener struct{ *listener }

func (n *ReleaseNotifier) Listen(path string) (Listener, error) {
	l, err := n.listen(path)
	return Listener{l}, err
}

func (l Listener) Wait(ctx context.Context, atMost time.Duration) error { return l.wait(ctx, atMost) }
func (l Listener) Close()                                               { l.close() }

type Journal struct{ *journal }

func OpenJournal(path string) (Journal, error) {
	j, err := openJournal(path)
	return Journal{j}, err
}

func (j Journal) Append(changes ...trees.Change) error { return j.append(changes) }
func (j Journal) State(state State, reason string)     { j.state(statement{state, reason}) }
func (j Journal) Members() map[process.Identity]trees.Member {
	members := make(map[process.Identity]trees.Member)
	for id, m := range j.members {
		members[id] = *m
	}
	return members
}
func (j Journal) Relatives() []process.Identity { return j.relatives() }
func (j Journal) Close() error                  { return j.close() }
func (j Journal) Named(boot string, lookup func(int) (process.Process, error)) error {
	return j.named(boot, lookup)
}

// AskLsof and LsofPIDs are about lsof(8).
func AskLsof(ctx context.Context, file string) ([]int, error) { return askLsof(ctx, file) }
func LsofPIDs(text string) []int                              { return lsofPIDs(text) }

func (r *Runtime) Store() *Store { return r.store }

// Merge is about the order of events.
func Merge(sources ...iter.Seq[Event]) iter.Seq[Event] { return merge(sources) }

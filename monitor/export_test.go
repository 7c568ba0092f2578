package monitor

import (
	"context"
	"os"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// What the specs look at inside. They are a package of their own because Entry
// is a word of Ginkgo's too.

const (
	RecordFile  = recordFile
	LeaseFile   = leaseFile
	LockFile    = lockFile
	JournalFile = journalFile
	LogFile     = logFile
	MaxLines    = maxLines
)

func ReadRecord(dir string) (Record, error)     { return readRecord(dir) }
func (r Record) Write(dir string) error         { return r.write(dir) }
func (r *Runtime) Path(file string) string      { return r.path(file) }
func (r *Runtime) HoldLease() (*os.File, error) { return r.holdLease() }
func (r *Runtime) OpenLock() (*os.File, error)  { return r.openLock() }
func (r *Runtime) Take(lock *os.File) error     { return r.take(lock) }
func (s *Store) Runtimes() string               { return s.runtimes() }
func (s *Store) Trash() string                  { return s.trash() }
func (s *Store) Sweep()                         { s.sweep() }
func StageOf(maker process.Identity) string     { return stageOf(maker) }
func LastOfEach(env []string) []string          { return lastOfEach(env) }

type LeaseWitness struct{ *leaseWitness }

func (r *Runtime) LeaseWitness() (LeaseWitness, error) {
	w, err := r.leaseWitness()
	return LeaseWitness{w}, err
}

func (w LeaseWitness) Free() (bool, error) { return w.free() }
func (w LeaseWitness) Close() error        { return w.close() }

type ReleaseWatch struct{ *releaseWatch }

func WatchRelease(path string) (ReleaseWatch, error) {
	w, err := watchRelease(path)
	return ReleaseWatch{w}, err
}

func (w ReleaseWatch) Wait(ctx context.Context, atMost time.Duration) error {
	return w.wait(ctx, atMost)
}
func (w ReleaseWatch) Close() error { return w.close() }

type Journal struct{ *journal }

func OpenJournal(path string) (Journal, error) {
	j, err := openJournal(path)
	return Journal{j}, err
}

func (j Journal) Append(changes ...trees.Change) error       { return j.append(changes) }
func (j Journal) Members() map[process.Identity]trees.Member { return j.members }
func (j Journal) Relatives() []process.Identity              { return j.relatives() }
func (j Journal) Close() error                               { return j.close() }

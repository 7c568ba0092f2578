package kernel

import (
	"runtime"
	"time"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A Kernel is the kernel of this system: its notices and its process table. It
// implements [core.Kernel].
type Kernel struct {
	core.Source
	reader   *process.Reader
	lineages *lineageBook // nil where the kernel keeps none
}

// Open opens this system's kernel with the named mechanism, or with the best that
// works for the empty name. Refused is why a better one does not work. The error is
// errors.ErrUnsupported when this system has no such mechanism.
func Open(mechanism string) (k *Kernel, refused, err error) {
	t, err := process.OpenReader()
	if err != nil {
		return nil, nil, err
	}
	s, refused, err := OpenSource(mechanism)
	if err != nil {
		t.Close()
		return nil, nil, err
	}
	return kernelOf(s, t), refused, nil
}

func kernelOf(s core.Source, t *process.Reader) *Kernel {
	k := &Kernel{Source: s, reader: t}
	if hasLineage() {
		k.lineages = newLineageBook(askLineage, t.Lookup)
	}
	return k
}

// Lineage reports whether rows have lineages.
func (k *Kernel) Lineage() bool { return k.lineages != nil }

// Read appends one row for each process. The cost is the processor time of its thread.
func (k *Kernel) Read(rows []process.Row) (_ []process.Row, cost time.Duration, err error) {
	cost = costOf(func() {
		if rows, err = k.reader.Read(rows); err == nil && k.lineages != nil {
			k.lineages.completeAll(rows)
		}
		if err == nil && k.Partial() != nil {
			rows = k.reader.AppendHidden(rows)
		}
	})
	return rows, cost, err
}

// Inhabited reports whether a process is in a group or session with one of these ids. See
// [process.Reader.Inhabited].
func (k *Kernel) Inhabited(ids map[int]bool) (found bool, cost time.Duration, err error) {
	cost = costOf(func() { found, err = k.reader.Inhabited(ids) })
	return found, cost, err
}

// Partial returns why the last read did not show all processes, or nil.
func (k *Kernel) Partial() error { return k.reader.Partial() }

// costOf returns the processor time that some work takes. It holds the thread, so
// that what other goroutines do meanwhile does not count, and neither does the time
// that the work waits for its turn.
func costOf(work func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := threadTime()
	work()
	return threadTime() - before
}

// Lookup returns the row of one process, or [process.ErrGone].
func (k *Kernel) Lookup(pid int) (process.Row, error) {
	p, err := k.reader.Lookup(pid)
	if err == nil && k.lineages != nil {
		k.lineages.complete(&p)
	}
	return p, err
}

// Close releases the descriptors.
func (k *Kernel) Close() error {
	k.reader.Close()
	return k.Source.Close()
}

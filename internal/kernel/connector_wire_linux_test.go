package kernel

import (
	"encoding/binary"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A wire is the proc connector of a kernel that is made up: the source reads
// messages that a spec has written, and looks processes up in a script's table.
// The source reads from it only when the spec orders that.
type wire struct {
	*connectorSource
	script *rehearsal.Script
	kernel int // the other end of the socket
}

// connect gives a tracker a wire for a kernel. The caller ends the wire.
func connect() (*rehearsal.Rehearsal, *wire) {
	GinkgoHelper()
	r := rehearsal.New(process.ForksNamed)
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	Expect(err).NotTo(HaveOccurred())
	gate, err := newGate(ends[0])
	Expect(err).NotTo(HaveOccurred())
	pidfds, err := newPidfdSource()
	Expect(err).NotTo(HaveOccurred())
	table, err := process.OpenReader()
	Expect(err).NotTo(HaveOccurred())
	w := &wire{&connectorSource{
		socket: &connectorSocket{ends[0]}, gate: gate, reader: table, lookup: r.Lookup, pidfds: pidfds,
		watched: make(map[int]subject), children: true,
	}, r.Script, ends[1]}
	r.Follower.Kernel = w
	return r, w
}

func (w *wire) end() {
	GinkgoHelper()
	Expect(w.Close()).To(Succeed())
	Expect(unix.Close(w.kernel)).To(Succeed())
}

func (w *wire) Marks(process.Row) ([]string, time.Duration, error) { return nil, 0, nil }

func (w *wire) Lineage() bool          { return false }
func (w *wire) Alone(process.Row) bool { return false }
func (w *wire) Read(rows []process.Row) ([]process.Row, time.Duration, error) {
	return w.script.Read(rows)
}
func (w *wire) Inhabited(ids map[int]bool) (bool, time.Duration, error) {
	return w.script.Inhabited(ids)
}
func (w *wire) Partial() error                      { return w.script.Partial() }
func (w *wire) Lookup(pid int) (process.Row, error) { return w.script.Lookup(pid) }
func (w *wire) Next(n []core.Notice, t time.Duration) ([]core.Notice, error) {
	n, err := w.connectorSource.Next(n, 0)
	w.script.Wait(len(n) > 0, t)
	return n, err
}

// fork makes a process and announces it.
func (w *wire) fork(p process.Row) {
	w.script.Rows[p.PID] = p
	parent, child := uint32(p.Parent), uint32(p.PID)
	w.announce(procFork, announcedAt(p.Start), parent, parent, child, child)
}

// exit ends a process, for which no process waits, and announces that.
func (w *wire) exit(pid int) {
	w.script.Bury(pid)
	w.announce(procExit, 0, uint32(pid), uint32(pid), 0, 0)
}

// announce writes a message as the kernel does.
func (w *wire) announce(what uint32, at time.Duration, data ...uint32) {
	GinkgoHelper()
	_, err := unix.Write(w.kernel, message(what, at, data...))
	Expect(err).NotTo(HaveOccurred())
}

// message is a message of the connector.
func message(what uint32, at time.Duration, data ...uint32) []byte {
	m := binary.NativeEndian.AppendUint32(make([]byte, eventAt), what)
	m = binary.NativeEndian.AppendUint32(m, 0)
	m = binary.NativeEndian.AppendUint64(m, uint64(at))
	for _, word := range data {
		m = binary.NativeEndian.AppendUint32(m, word)
	}
	return m
}

// announcedAt is when a process with that start time is announced: some seconds
// later, so that it does not matter how long it takes to look at the clocks.
func announcedAt(start process.StartTime) time.Duration {
	return time.Duration(start+500-bornBy(0)) * clockTick
}

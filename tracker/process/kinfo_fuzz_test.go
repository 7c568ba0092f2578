package process

import (
	"bytes"
	"encoding/binary"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// traced is a row of a traced process of macOS, with a different number in each field.
var traced = Row{Process: Process{
	Identity: Identity{PID: 4711, Start: 1_700_000_000_123_456}, Parent: 17, Tracer: 99, Group: 4700, User: 501,
	State: Stopped, Command: nameOf([]byte("bash")),
}}

// FuzzKinfo checks that parseKinfo never panics, that the PID of a row that it accepts is
// positive, and that it reads the same row from the record that recordOf makes of it.
func FuzzKinfo(f *testing.F) {
	record := recordOf(traced)
	f.Add(record)
	f.Add(record[:kinfoSize-1])
	f.Add(append(record, record...))
	f.Add(bytes.Repeat([]byte{0xff}, kinfoSize))
	f.Add(make([]byte, kinfoSize))
	for _, state := range []State{Running, Stopped, Exiting, Zombie} {
		p := traced
		p.State, p.Tracer = state, 0
		f.Add(recordOf(p))
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		p, ok := parseKinfo(record)
		if !ok {
			if p != (Row{}) {
				t.Fatalf("refused, with %+v", p)
			}
			return
		}
		if p.PID <= 0 {
			t.Fatalf("accepted %+v", p)
		}
		if again, ok := parseKinfo(recordOf(p)); !ok || again != p {
			t.Fatalf("%+v became %+v", p, again)
		}
	})
}

// recordOf makes a struct kinfo_proc from a row.
func recordOf(p Row) []byte {
	record := make([]byte, kinfoSize)
	put := func(at, n int) { binary.LittleEndian.PutUint32(record[at:], uint32(n)) }
	binary.LittleEndian.PutUint64(record[kinfoSeconds:], uint64(p.Start/1e6))
	put(kinfoMicroseconds, int(p.Start%1e6))
	put(kinfoPID, p.PID)
	put(kinfoUID, p.User)
	put(kinfoGroup, p.Group)
	put(kinfoParent, p.Parent)
	if p.Tracer != 0 {
		put(kinfoParent, p.Tracer)
		put(kinfoOldParent, p.Parent)
	}
	switch p.State {
	case Zombie:
		record[kinfoStat] = statZombie
	case Stopped:
		record[kinfoStat] = statStopped
	case Exiting:
		put(kinfoFlag, flagExiting)
	}
	copy(record[kinfoComm:], p.Command[:])
	return record
}

var _ = Describe("A record of kern.proc", func() {
	It("is read field by field", func() {
		p, ok := parseKinfo(recordOf(traced))
		Expect(ok).To(BeTrue())
		Expect(p).To(Equal(traced))
	})

	It("of a zombie that has begun to exit is one of a zombie", func() {
		record := recordOf(traced)
		record[kinfoStat] = statZombie
		binary.LittleEndian.PutUint32(record[kinfoFlag:], flagExiting)
		p, ok := parseKinfo(record)
		Expect(ok).To(BeTrue())
		Expect(p.State).To(Equal(Zombie))
	})

	It("is refused when it is cut, and when it is the kernel's own", func() {
		_, ok := parseKinfo(recordOf(traced)[:kinfoSize-1])
		Expect(ok).To(BeFalse())
		kernel := traced
		kernel.PID = 0
		_, ok = parseKinfo(recordOf(kernel))
		Expect(ok).To(BeFalse())
	})
})

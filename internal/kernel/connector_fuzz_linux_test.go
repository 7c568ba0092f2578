package kernel

import (
	"testing"
	"time"
)

// FuzzConnectorEvent checks that parseEvent never panics, that the PIDs of what it accepts
// are positive, and that it reads the same event from what message makes of it.
func FuzzConnectorEvent(f *testing.F) {
	for _, seed := range [][]byte{
		nil,
		listenMessage(),
		message(procEventAck, time.Second, 0, 0),
		message(procEventAck, time.Second, 1, 0), // EPERM
		message(procFork, time.Hour, 17, 17, 4711, 4711),
		message(procFork, time.Hour, 17, 17, 4711), // cut in the child
		message(procFork, time.Hour, 17, 17, 0, 0),
		message(procExec, time.Hour, 4711, 4711),
		message(procExec, time.Hour, 4711), // cut in the process
		message(procExit, time.Hour, 4711, 4711, 9, 17),
		message(procExit, time.Hour, 1<<31, 1<<31, 9, 17),
		message(4, time.Hour, 4711, 4711, 0, 0), // PROC_EVENT_UID
		message(eventLost, 0, 4711, 4711),       // the source's own word
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, bytes []byte) {
		e, ok := parseEvent(bytes)
		if !ok {
			return
		}
		var data []uint32
		switch e.what {
		case procEventAck:
			data = []uint32{e.err, 0}
		case procFork:
			data = []uint32{0, uint32(e.pid), 0, uint32(e.child)}
		case procExec, procExit:
			data = []uint32{0, uint32(e.pid)}
		default:
			t.Fatalf("accepted an event of kind %#x", e.what)
		}
		if e.what != procEventAck && e.pid <= 0 || e.what == procFork && e.child <= 0 {
			t.Fatalf("accepted %+v", e)
		}
		if again, ok := parseEvent(message(e.what, e.at, data...)); !ok || again != e {
			t.Fatalf("%+v became %+v", e, again)
		}
	})
}

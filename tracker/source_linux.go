package tracker

import (
	"os"
	"sync"
)

// newSource returns the proc connector where it is to be had, and pidfds
// elsewhere.
func newSource() (source, error) {
	if hasConnector() {
		if s, err := newConnectorSource(); err == nil {
			return s, nil
		}
	}
	return newPidfdSource()
}

// initialPIDNamespace is the link text of the PID namespace that all others descend
// from (PROC_PID_INIT_INO, include/uapi/linux/nsfs.h).
const initialPIDNamespace = "pid:[4026531836]"

// hasConnector tells whether the proc connector speaks to us, by trying it
// once. It is refused without privilege before Linux 6.6, does not exist
// outside the initial network namespace, and names PIDs of the initial PID
// namespace only.
var hasConnector = sync.OnceValue(func() bool {
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil || namespace != initialPIDNamespace {
		return false
	}
	s, err := newConnectorSource()
	if err != nil {
		return false
	}
	return s.close() == nil
})

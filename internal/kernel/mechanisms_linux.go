package kernel

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/gemini-monitor/gemini/internal/core"
)

// mechanisms are the sources of this system, the best one first.
var mechanisms = []mechanism{
	{connectorName, func() (core.Source, error) {
		if err := connectorRefusal(); err != nil {
			return nil, err
		}
		return newConnectorSource()
	}},
	{"pidfd", func() (core.Source, error) { return newPidfdSource() }},
}

// initialPIDNamespace is the link text of the PID namespace that all others descend
// from (PROC_PID_INIT_INO, include/uapi/linux/nsfs.h).
const initialPIDNamespace = "pid:[4026531836]"

// connectorRefusal returns why the proc connector cannot be used, or nil. It tries
// once. The connector is refused without privilege before Linux 6.6, does not exist
// outside the initial network namespace (drivers/connector/cn_proc.c), and names
// PIDs of the initial PID namespace only.
var connectorRefusal = sync.OnceValue(func() error {
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return err
	}
	if namespace != initialPIDNamespace {
		return fmt.Errorf("%w: it does not name the PIDs of %s", errors.ErrUnsupported, namespace)
	}
	s, err := newConnectorSource()
	if err != nil {
		return fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
	}
	return s.Close()
})

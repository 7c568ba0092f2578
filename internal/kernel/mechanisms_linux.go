package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/gemini-monitor/gemini/internal/core"
)

// mechanisms are the sources of this system, the best one first.
var mechanisms = []mechanism{
	{connectorName, connector.open},
	{"pidfd", func() (core.Source, error) { return newPidfdSource() }},
}

// needed are the namespaces that the proc connector needs, by their link texts, with
// what it does elsewhere. The numbers are fixed (include/linux/proc_ns.h). The network
// namespace needs no question: outside the initial one the socket is refused at once.
var needed = []struct{ kind, initial, elsewhere string }{
	{"pid", "pid:[4026531836]", "it does not name the PIDs of"},
	{"user", "user:[4026531837]", "it does not answer in"},
	{"time", "time:[4026531834]", "its clock is not that of"},
}

// namespaceRefusal returns an error unless all namespaces that the proc connector needs
// are the initial ones. Asking the kernel costs a second outside the initial user
// namespace: no answer comes (docs/linux.md L2). Link reads the link in /proc/self/ns of
// one kind; a kernel without that kind of namespace has none.
func namespaceRefusal(link func(kind string) (string, error)) error {
	for _, n := range needed {
		namespace, err := link(n.kind)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case namespace != n.initial:
			return fmt.Errorf("%w: %s %s", errors.ErrUnsupported, n.elsewhere, namespace)
		}
	}
	return nil
}

// connector opens sources of the proc connector. It is refused without privilege before Linux
// 6.6, does not exist outside the initial network namespace (drivers/connector/cn_proc.c), and
// counts PIDs and time as the initial namespaces do.
var connector = &opener{
	refusal: func() error {
		return namespaceRefusal(func(kind string) (string, error) { return os.Readlink("/proc/self/ns/" + kind) })
	},
	source: func() (core.Source, error) {
		s, err := newConnectorSource()
		if err != nil {
			return nil, err
		}
		return s, nil
	},
}

// An opener opens sources of one kind. Where the first is refused, it asks for no other: a refusal
// may take a second.
type opener struct {
	refusal func() error // why no source is to be asked for, or nil
	source  func() (core.Source, error)

	once    sync.Once
	refused error
}

func (o *opener) open() (core.Source, error) {
	var first core.Source
	o.once.Do(func() { first, o.refused = o.try() })
	switch {
	case o.refused != nil:
		return nil, o.refused
	case first != nil:
		return first, nil
	}
	return o.source()
}

func (o *opener) try() (core.Source, error) {
	if err := o.refusal(); err != nil {
		return nil, err
	}
	s, err := o.source()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
	}
	return s, nil
}

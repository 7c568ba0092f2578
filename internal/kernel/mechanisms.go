package kernel

import (
	"errors"
	"fmt"

	"github.com/gemini-monitor/gemini/internal/core"
)

// connectorName is the name of the mechanism that only Linux has, and not
// everywhere.
const connectorName = "proc connector"

// A mechanism is a way to get notices about processes.
type mechanism struct {
	name string
	open func() (core.Source, error)
}

// Mechanisms returns the names of the mechanisms of this system, the best one first.
func Mechanisms() (names []string) {
	for _, m := range mechanisms {
		names = append(names, m.name)
	}
	return names
}

// OpenSource opens the source of a mechanism, or the best that works for the empty
// name. Refused is why a better one does not work. The error is
// errors.ErrUnsupported when this system has no such mechanism.
func OpenSource(name string) (s core.Source, refused, err error) {
	err = errors.ErrUnsupported
	for _, m := range mechanisms {
		if name != "" && name != m.name {
			continue
		}
		if s, err = m.open(); err == nil {
			return s, refused, nil
		}
		refused = errors.Join(refused, fmt.Errorf("%s: %w", m.name, err))
	}
	if refused != nil {
		return nil, nil, refused
	}
	if name != "" {
		err = fmt.Errorf("mechanism %q: %w", name, err)
	}
	return nil, nil, err
}

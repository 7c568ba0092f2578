//go:build darwin || linux

package tracker

import (
	"errors"

	. "github.com/onsi/ginkgo/v2"
)

// A way is one way to be told of processes by the kernel that runs us.
type way struct {
	name string
	open func() (kernel, error)
}

// ways has each mechanism of this system, and each without what it can do without.
var ways = func() (all []way) {
	for _, name := range Mechanisms() {
		all = append(all, way{name, func() (kernel, error) { return openOrSkip(name) }})
	}
	return append(all, lesserWays...)
}()

func openOrSkip(name string) (*system, error) {
	k, _, err := Open(name)
	if name == "proc connector" && err != nil {
		Skip("the proc connector does not speak to us: " + err.Error())
	}
	return k, errors.Join(err)
}

package tracker

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// A mechanism is one way to be told of processes by the kernel that runs us.
type mechanism struct {
	name string
	open func() (kernel, error)
}

var mechanisms = []mechanism{
	{"Linux with the proc connector", func() (kernel, error) {
		if !hasConnector() {
			Skip("the proc connector does not speak to us")
		}
		return withTable(newConnectorSource())
	}},
	{"Linux with pidfds", func() (kernel, error) { return withTable(newPidfdSource()) }},
}

func withTable[S source](s S, err error) (kernel, error) {
	if err != nil {
		return nil, err
	}
	t, err := process.OpenReader()
	return newSystemOf(s, t), err
}

// withoutDescriptors is what is found out of a tree by who can open no file.
var withoutDescriptors = HavePrefix("unknown")

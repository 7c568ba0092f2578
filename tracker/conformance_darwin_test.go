package tracker

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// A mechanism is one way to be told of processes by the kernel that runs us.
type mechanism struct {
	name  string
	needs Labels
	open  func() (kernel, error)
}

var mechanisms = []mechanism{
	{"macOS", Label("macos"), func() (kernel, error) { return newSystem() }},
	{"macOS without lineage", Label("macos"), func() (kernel, error) {
		s, err := newSystem()
		if err == nil {
			s.lineages = nil
		}
		return s, err
	}},
}

// withoutDescriptors is what is found out of a tree by who can open no file: all,
// because the table is no file here.
var withoutDescriptors = Equal("alive")

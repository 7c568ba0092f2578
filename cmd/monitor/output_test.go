//go:build darwin || linux

package main

import (
	"errors"
	"io"
	"os"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// brokenPipe fails each write after the first few bytes.
type brokenPipe struct {
	room   int
	writes int
}

var errBroken = errors.New("no room")

func (p *brokenPipe) Write(text []byte) (int, error) {
	p.writes++
	n := min(len(text), p.room)
	if p.room -= n; n < len(text) {
		return n, errBroken
	}
	return n, nil
}

var _ = Describe("Output that cannot be written", func() {
	It("is an error of each command that prints", func() {
		r := create("build", "make")
		join(r, self())
		for _, args := range [][]string{
			{}, {"help"}, {"help", "list"}, {"list", "--help"}, {"--version"}, {"completion", "bash"},
			{"list"}, {"list", "-q"}, {"list", "--json"}, {"info", "build"}, {"info", "--json", "build"},
			{"tree", "build"}, {"tree", "-q", "build"}, {"tree", "--json", "build"},
			{"why", "build"}, {"why", "--json", "build"}, {"which", strconv.Itoa(os.Getpid())},
		} {
			for _, room := range []int{0, 3} {
				root := newRoot()
				root.SetArgs(args)
				root.SetErr(io.Discard)
				pipe := &brokenPipe{room: room}
				err := execute(root, pipe)
				Expect(err).To(MatchError(errBroken), "%q", args)
				Expect(exitCode(err)).To(Equal(1), "%q", args)
			}
		}
	})

	It("is not followed by more", func() {
		pipe := &brokenPipe{room: 1}
		kept := &output{Writer: pipe}
		Expect(kept.Write([]byte("a"))).To(Equal(1))
		for range 3 {
			n, err := kept.Write([]byte("b"))
			Expect(n).To(BeZero())
			Expect(err).To(MatchError(errBroken))
		}
		Expect(pipe.writes).To(Equal(2))
	})
})

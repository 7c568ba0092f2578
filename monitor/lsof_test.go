//go:build darwin || linux

package monitor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
)

// lsofIs puts a script into PATH as lsof.
func lsofIs(script string) {
	GinkgoHelper()
	dir := GinkgoT().TempDir()
	Expect(os.WriteFile(filepath.Join(dir, "lsof"), []byte("#!/bin/sh\n"+script), 0o755)).To(Succeed())
	GinkgoT().Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

var _ = Describe("lsof(8)", func() {
	DescribeTable("is read", func(text string, pids ...int) {
		Expect(monitor.LsofPIDs(text)).To(HaveExactElements(pids))
	},
		Entry("one process", "p4711\nf3\n", 4711),
		Entry("several, with more fields", "p1\ncbash\nu501\nf3\nf100\np20\ncsleep\nf100\n", 1, 20),
		Entry("none", ""),
		Entry("a command that begins with p", "cp123\n"),
		Entry("what is no PID", "p\npx\np-1\np0\np99999999999999999999\n"),
	)

	It("is asked for one file, and names its processes", func(ctx SpecContext) {
		lsofIs(`printf 'p%s\nf3\np%s\nf3\n' "$#" 7; [ "$8" = /a/lease ] || exit 3`)
		Expect(monitor.AskLsof(ctx, "/a/lease")).To(Equal([]int{8, 7}))
	})

	It("names none where it finds none", func(ctx SpecContext) {
		lsofIs("exit 1")
		Expect(monitor.AskLsof(ctx, "/a/lease")).To(BeEmpty())
	})

	It("is an error where it has one", func(ctx SpecContext) {
		lsofIs("echo 'no such file' >&2; exit 1")
		_, err := monitor.AskLsof(ctx, "/a/lease")
		Expect(err).To(MatchError("lsof(8): exit status 1: no such file"))
	})

	It("is not waited for longer than the caller wants", func(ctx SpecContext) {
		began := filepath.Join(GinkgoT().TempDir(), "began")
		pipeAt(began)
		lsofIs(fmt.Sprintf("exec 3>%q 4<%q; read -r line <&4", began, began))
		reason := errors.New("that is enough")
		limited, end := context.WithCancelCause(ctx)
		defer end(nil)
		failed := make(chan error, 1)
		go func() {
			_, err := monitor.AskLsof(limited, "/a/lease")
			failed <- err
		}()
		asked, err := os.Open(began) // returns when lsof has opened the other end
		Expect(err).NotTo(HaveOccurred())
		defer asked.Close()
		end(reason)
		Eventually(ctx, failed).Should(Receive(MatchError(reason)))
	})
})

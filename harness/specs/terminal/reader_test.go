//go:build darwin || linux

package terminal_test

import (
	"os"
	"os/exec"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness/internal/terminal"
)

// pipe returns the ends of a pipe that are closed after the spec.
func pipe() (read, write *os.File) {
	GinkgoHelper()
	read, write, err := os.Pipe()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() {
		read.Close()
		write.Close()
	})
	return read, write
}

// reader returns a recording of the pipe and the end to write at.
func reader() (*terminal.Recording, *terminal.Reader, *os.File) {
	GinkgoHelper()
	read, write := pipe()
	r := terminal.NewRecording(24, 80)
	from, err := terminal.NewReader(read, r)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(from.Close)
	return r, from, write
}

var _ = Describe("A reader of a pipe", func() {
	It("records until the end", func(ctx SpecContext) {
		r, from, write := reader()
		write.WriteString("one\r")
		write.WriteString("\ntwo")
		match, err := r.Find(ctx, literals("one\ntwo"), 0, nil)
		Expect(err).NotTo(HaveOccurred())
		write.WriteString(" three")
		write.Close()
		Eventually(ctx, from.Done()).Should(BeClosed())
		Expect(r.Text(match.End, r.Len())).To(Equal(" three"))
		Expect(r.End()).To(MatchError("end of file"))
	}, NodeTimeout(time.Minute))

	It("catches up with all that has been written, each time, and keeps the order", func() {
		r, from, write := reader()
		for i := range 500 {
			piece := strings.Repeat(string(rune('a'+i%26)), 1+i*37%9000)
			write.WriteString(piece)
			before := r.Len()
			from.CatchUp()
			Expect(r.Text(0, r.Len())).To(HaveSuffix(piece), "%d bytes before", before)
		}
		Expect(r.End()).NotTo(HaveOccurred())
	})

	It("has all output of a process that has ended, although another holds the pipe", func() {
		for range 20 {
			r, from, write := reader()
			cmd := exec.Command("/bin/sh", "-c", longOutput)
			cmd.Stdout = write
			Expect(cmd.Run()).To(Succeed())
			from.CatchUp()
			Expect(r.Text(0, r.Len())).To(HaveSuffix("line 299\n"))
			Expect(from.Done()).NotTo(BeClosed())
		}
	})

	It("ends when it is closed, although the pipe is open", func(ctx SpecContext) {
		r, from, write := reader()
		write.WriteString("rest")
		from.CatchUp()
		Expect(from.Close()).To(Succeed())
		Expect(from.Close()).To(Succeed())
		from.CatchUp()
		_, err := r.Find(ctx, literals("never"), 0, nil)
		Expect(err).To(MatchError(And(ContainSubstring("rest"), ContainSubstring("hung up"))))
	}, NodeTimeout(time.Minute))
})

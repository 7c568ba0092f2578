//go:build darwin || linux

package descriptor_test

import (
	"os"
	"testing"

	"github.com/creack/pty"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/descriptor"
)

func TestDescriptor(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Descriptor")
}

var _ = Describe("The open descriptors of this process", Label("probe"), func() {
	// On macOS stat of the entry of a kqueue in /dev/fd returns EBADF, and Go's poller
	// is a kqueue; on Linux it is an epoll. A hung-up terminal stands for other
	// descriptors that cannot be examined.
	It("are in the list, whatever is open", func() {
		polled, lost := pipe(), hungUpTerminal()
		high := duplicate(polled, 200)
		open, err := descriptor.Open()
		Expect(err).NotTo(HaveOccurred())
		Expect(open).To(ContainElements(0, 1, 2, int(polled.Fd()), int(lost.Fd()), high))
	})

	It("are inherited only where no exec closes them", func() {
		open := pipe()
		kept := duplicate(open, 200)
		inherited, err := descriptor.Inherited()
		Expect(err).NotTo(HaveOccurred())
		Expect(inherited).To(ContainElement(kept))
		Expect(inherited).NotTo(ContainElement(int(open.Fd())))
		Expect(inherited).NotTo(ContainElement(BeNumerically("<", 3)))
	})

	It("are one fewer in a snapshot when one was closed", func() {
		file, err := os.Open(os.DevNull)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { _ = file.Close() })
		before, err := descriptor.Snapshot(false)
		Expect(err).NotTo(HaveOccurred())
		Expect(file.Close()).To(Succeed())
		Expect(descriptor.Snapshot(false)).To(HaveLen(len(before) - 1))
	})
})

// duplicate returns a descriptor of the same file without close-on-exec, numbered from or
// above.
func duplicate(file *os.File, from int) int {
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD, from)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(unix.Close(fd)).To(Succeed()) })
	return fd
}

// pipe returns the reading end of a pipe, which is in Go's poller.
func pipe() *os.File {
	read, write, err := os.Pipe()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { _, _ = read.Close(), write.Close() })
	return read
}

// hungUpTerminal returns a terminal whose master has been closed.
func hungUpTerminal() *os.File {
	master, terminal, err := pty.Open()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { _ = terminal.Close() })
	Expect(master.Close()).To(Succeed())
	return terminal
}

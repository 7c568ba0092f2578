//go:build darwin || linux

package testproc

import (
	"context"
	"os"
	"sync"
	"syscall"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	"golang.org/x/sys/unix"
)

// An Oracle reports whether any descendant of a process lives that kept
// descriptor 3: the write end of a pipe, which all of them inherit. It asks the
// kernel without a process table and without time. Both kernels close the
// descriptors of a process before they report its end.
type Oracle struct{ read *os.File }

// oracleDescriptor is where a process finds the end that it inherits.
const oracleDescriptor = 3

// starting is held from before an oracle's pipe is made until our copy of the
// write end is closed: a child that another goroutine forks in between would
// hold the pipe until its own exec.
var starting sync.Mutex

// A Cue describes how to start a process with an oracle.
type Cue struct {
	Argv    []string
	env     []string   // more than our own
	In, out *os.File   // the null device if missing; standard error always is
	extra   []*os.File // from descriptor 4 on
	Sys     *syscall.SysProcAttr
}

// start starts a process. The caller waits for it, and ends the oracle.
func start(c Cue) (*os.Process, *Oracle) {
	ginkgo.GinkgoHelper()
	starting.Lock()
	defer starting.Unlock()
	read, write, err := os.Pipe()
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	defer write.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	defer null.Close()
	files := []*os.File{c.In, c.out, null, write}
	for i, file := range files {
		if file == nil {
			files[i] = null
		}
	}
	process, err := os.StartProcess(c.Argv[0], c.Argv, &os.ProcAttr{
		Env: append(os.Environ(), c.env...), Files: append(files, c.extra...), Sys: c.Sys,
	})
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return process, &Oracle{read}
}

// Held reports whether any descendant has the descriptor at this moment.
func (o *Oracle) Held() (held bool) {
	raw, err := o.read.SyscallConn()
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	err = raw.Control(func(fd uintptr) {
		// The read end of an os.Pipe never blocks, and a read of nothing is
		// its end.
		var one [1]byte
		n, err := unix.Read(int(fd), one[:])
		for err == unix.EINTR {
			n, err = unix.Read(int(fd), one[:])
		}
		held = n != 0 || err != nil
	})
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return held
}

// end waits until no process holds the pipe.
func (o *Oracle) end(ctx context.Context) {
	gomega.Eventually(ctx, o.Held).Should(gomega.BeFalse(), "the spec leaves a process")
	gomega.Expect(o.read.Close()).To(gomega.Succeed())
}

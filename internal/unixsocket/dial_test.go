//go:build darwin || linux

package unixsocket_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/internal/unixsocket"
)

// rawSocket returns a bound socket with a queue of one's choice: 0 has room for one
// connection on Linux. A negative one does not listen.
func rawSocket(kind int, queue int) (path string, fd int) {
	GinkgoHelper()
	path = filepath.Join(place(), "s")
	fd, err := unix.Socket(unix.AF_UNIX, kind, 0)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { _ = unix.Close(fd) })
	Expect(unix.Bind(fd, &unix.SockaddrUnix{Name: path})).To(Succeed())
	if queue >= 0 {
		Expect(unix.Listen(fd, queue)).To(Succeed())
	}
	return path, fd
}

var _ = Describe("Dial", func() {
	DescribeTable("reports at a path of", func(ctx SpecContext, length int) {
		path := pathOf(length)
		expect := func(want error) {
			GinkgoHelper()
			_, err := unixsocket.Dial(ctx, path)
			Expect(err).To(MatchError(want))
			Expect(err).To(MatchError(ContainSubstring(path)))
			for _, other := range []error{fs.ErrNotExist, unixsocket.ErrRefused, unixsocket.ErrNotSocket, context.DeadlineExceeded} {
				if other != want {
					Expect(err).NotTo(MatchError(other))
				}
			}
		}
		By("that nothing has the name")
		expect(fs.ErrNotExist)
		By("that a file has it")
		Expect(os.WriteFile(path, nil, 0o600)).To(Succeed())
		expect(unixsocket.ErrNotSocket)
		Expect(os.Remove(path)).To(Succeed())
		By("that a directory has it")
		Expect(os.Mkdir(path, 0o700)).To(Succeed())
		expect(unixsocket.ErrNotSocket)
		Expect(os.Remove(path)).To(Succeed())
		By("that no process listens")
		l := listening(path)
		Expect(l.Close()).To(Succeed())
		expect(unixsocket.ErrRefused)
		By("that the directory is gone")
		Expect(os.RemoveAll(filepath.Dir(path))).To(Succeed())
		expect(fs.ErrNotExist)
	}, Entry("60 bytes", testproc.Patience, 60), Entry("300 bytes", testproc.Patience, 300))

	It("reports a socket that does not listen yet, and one of another kind", testproc.Patience, func(ctx SpecContext) {
		path, _ := rawSocket(unix.SOCK_STREAM, -1)
		Expect(unixsocket.Dial(ctx, path)).Error().To(MatchError(unixsocket.ErrRefused))
		path, _ = rawSocket(unix.SOCK_DGRAM, -1)
		Expect(unixsocket.Dial(ctx, path)).Error().To(MatchError(unix.EPROTOTYPE))
	})

	It("does nothing when its context has ended", func() {
		l := plain()
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		Expect(unixsocket.Dial(ended, l.Path())).Error().To(MatchError(context.Canceled))
		Expect(l.AcceptNow()).Error().To(MatchError(unixsocket.ErrEmpty))
	})

	Context("to a socket whose queue is full", func() {
		It("ends with its context", Label("linux"), testproc.Patience, func(ctx SpecContext) {
			path, _ := rawSocket(unix.SOCK_STREAM, 0)
			dial(ctx, path)
			short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
			defer cancel()
			_, err := unixsocket.Dial(short, path)
			Expect(err).To(MatchError(context.DeadlineExceeded))
			Expect(err).NotTo(MatchError(unixsocket.ErrRefused))
			Expect(short.Err()).To(MatchError(context.DeadlineExceeded))
		})

		It("connects when there is room", Label("linux"), testproc.Patience, func(ctx SpecContext) {
			path, fd := rawSocket(unix.SOCK_STREAM, 0)
			dial(ctx, path)
			late := make(chan error, 1)
			go func() {
				conn, err := unixsocket.Dial(ctx, path)
				if err == nil {
					err = conn.Close()
				}
				late <- err
			}()
			Consistently(late, 50*time.Millisecond).ShouldNot(Receive())
			accepted, _, err := unix.Accept(fd)
			Expect(err).NotTo(HaveOccurred())
			Expect(unix.Close(accepted)).To(Succeed())
			Eventually(late).Should(Receive(BeNil()))
		})

		// docs/xnu.md X53.
		It("is refused on macOS", Label("macos", "probe"), testproc.Patience, func(ctx SpecContext) {
			path, _ := rawSocket(unix.SOCK_STREAM, 1)
			for range 2 { // the runner of the macOS build has the queue of Linux, which is longer by one
				if conn, err := unixsocket.Dial(ctx, path); err == nil {
					DeferCleanup(conn.Close)
				}
			}
			Expect(unixsocket.Dial(ctx, path)).Error().To(MatchError(unixsocket.ErrRefused))
		})
	})
})

var _ = Describe("Remove", func() {
	It("removes a dead socket, and one that is in use", func() {
		dead := plain()
		Expect(dead.Close()).To(Succeed())
		Expect(unixsocket.Remove(dead.Path())).To(Succeed())
		Expect(dead.Path()).NotTo(BeAnExistingFile())
		used := listening(pathOf(300))
		Expect(unixsocket.Remove(used.Path())).To(Succeed())
		Expect(used.Here()).To(BeFalse())
	})

	It("has nothing to do where nothing is", func() {
		Expect(unixsocket.Remove(filepath.Join(place(), "none"))).To(Succeed())
	})

	DescribeTable("leaves and names", func(what string, put func(path string)) {
		path := filepath.Join(place(), "s")
		put(path)
		before, err := os.Lstat(path)
		Expect(err).NotTo(HaveOccurred())
		err = unixsocket.Remove(path)
		Expect(err).To(MatchError(unixsocket.ErrNotSocket))
		Expect(err).To(MatchError(ContainSubstring("it is " + what)))
		after, err := os.Lstat(path)
		Expect(err).NotTo(HaveOccurred())
		Expect(os.SameFile(before, after)).To(BeTrue())
	},
		Entry("a file", "a regular file", func(path string) { Expect(os.WriteFile(path, nil, 0o600)).To(Succeed()) }),
		Entry("a directory", "a directory", func(path string) { Expect(os.Mkdir(path, 0o700)).To(Succeed()) }),
		Entry("a FIFO", "a named pipe", func(path string) { Expect(unix.Mkfifo(path, 0o600)).To(Succeed()) }),
		Entry("a link to a socket", "a symbolic link", func(path string) { Expect(os.Symlink(plain().Path(), path)).To(Succeed()) }))

	It("leaves a socket of another user", Label("root"), func() {
		if os.Geteuid() != 0 {
			Skip("only root can give a file to another user")
		}
		l := plain()
		Expect(os.Lchown(l.Path(), 65534, -1)).To(Succeed())
		err := unixsocket.Remove(l.Path())
		Expect(err).To(MatchError(fs.ErrPermission))
		Expect(err).To(MatchError(ContainSubstring("user 65534")))
		Expect(l.Here()).To(BeTrue())
	})
})

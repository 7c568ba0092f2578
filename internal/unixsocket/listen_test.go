//go:build darwin || linux

package unixsocket_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/internal/unixsocket"
)

var _ = Describe("A socket", func() {
	// converse sends a byte from a client to a server.
	converse := func(ctx context.Context, l *unixsocket.Listener, path string) {
		GinkgoHelper()
		client := dial(ctx, path)
		server := accepted(l)
		Expect(client.Write([]byte("x"))).To(Equal(1))
		Expect(client.Close()).To(Succeed())
		Expect(io.ReadAll(server)).To(Equal([]byte("x")))
		Expect(server.Close()).To(Succeed())
	}

	DescribeTable("is found at a path of", Label("probe"), func(ctx SpecContext, length int) {
		path := pathOf(length)
		l := listening(path)
		Expect(l.Path()).To(Equal(path))
		converse(ctx, l, path)
		Expect(l.Here()).To(BeTrue())
		Expect(kindAt(path)).To(Equal(fs.ModeSocket))
		Expect(l.Unlink()).To(Succeed())
		Expect(l.Here()).To(BeFalse())
		Expect(path).NotTo(BeAnExistingFile())
		Expect(filepath.Dir(path)).To(BeADirectory())
	},
		Entry("40 bytes", testproc.Patience, 40), Entry("102 bytes", testproc.Patience, 102), Entry("103 bytes", testproc.Patience, 103), Entry("104 bytes", testproc.Patience, 104),
		Entry("106 bytes", testproc.Patience, 106), Entry("107 bytes", testproc.Patience, 107), Entry("108 bytes", testproc.Patience, 108), Entry("109 bytes", testproc.Patience, 109),
		Entry("300 bytes", testproc.Patience, 300), Entry("900 bytes", testproc.Patience, 900))

	DescribeTable("is found by way of a link to its directory, at a path of", func(ctx SpecContext, length int) {
		path := pathOf(length)
		l := listening(path)
		link := filepath.Join(place(), "link")
		Expect(os.Symlink(filepath.Dir(path), link)).To(Succeed())
		converse(ctx, l, filepath.Join(link, filepath.Base(path)))

		other := listening(filepath.Join(link, "other"))
		Expect(other.Here()).To(BeTrue())
		converse(ctx, other, filepath.Join(filepath.Dir(path), "other"))
	}, Entry("40 bytes", testproc.Patience, 40), Entry("300 bytes", testproc.Patience, 300))

	It("does not change the working directory of the process", Label("probe"), testproc.Patience, func(ctx SpecContext) {
		before, err := os.Getwd()
		Expect(err).NotTo(HaveOccurred())
		here, err := os.Stat(".")
		Expect(err).NotTo(HaveOccurred())
		path := pathOf(300)
		l := listening(path)
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				defer GinkgoRecover()
				conn, err := unixsocket.Dial(ctx, path)
				Expect(err).NotTo(HaveOccurred())
				Expect(conn.Close()).To(Succeed())
				// Each goroutine may run on any thread.
				now, err := os.Stat(".")
				Expect(err).NotTo(HaveOccurred())
				Expect(os.SameFile(now, here)).To(BeTrue())
			})
		}
		all.Wait()
		Expect(l.Here()).To(BeTrue())
		Expect(os.Getwd()).To(Equal(before))
	})

	It("is for its owner alone, whatever the mask of the process is", func() {
		old := unix.Umask(0)
		DeferCleanup(func() { unix.Umask(old) })
		l := plain()
		info, err := os.Lstat(l.Path())
		Expect(err).NotTo(HaveOccurred())
		Expect(info.Mode()).To(Equal(fs.ModeSocket | 0o600))
	})

	It("needs an absolute path to a name in a directory that is there", func() {
		for _, path := range []string{"", "s", "./s", "@s"} {
			Expect(unixsocket.Listen(path)).Error().To(MatchError(fs.ErrInvalid), path)
		}
		Expect(unixsocket.Listen("/tmp/")).Error().To(MatchError(fs.ErrInvalid))
		Expect(unixsocket.Listen(filepath.Join(place(), "none", "s"))).Error().To(MatchError(fs.ErrNotExist))
		Expect(unixsocket.Listen(filepath.Join(pathOf(300), "none", "s"))).Error().To(MatchError(fs.ErrNotExist))
		Expect(unixsocket.Listen(filepath.Join(place(), strings.Repeat("n", 200)))).Error().To(MatchError(unix.ENAMETOOLONG))
	})

	DescribeTable("is not made where the name is taken by", func(length int, take func(path string)) {
		path := pathOf(length)
		take(path)
		before, err := os.Lstat(path)
		Expect(err).NotTo(HaveOccurred())
		_, err = unixsocket.Listen(path)
		Expect(err).To(MatchError(fs.ErrExist))
		Expect(err).To(MatchError(ContainSubstring(path)))
		after, err := os.Lstat(path)
		Expect(err).NotTo(HaveOccurred())
		Expect(os.SameFile(before, after)).To(BeTrue())
		Expect(after.Mode()).To(Equal(before.Mode()))
	},
		Entry("a file", 60, func(path string) { Expect(os.WriteFile(path, nil, 0o644)).To(Succeed()) }),
		Entry("a file at a long path", 300, func(path string) { Expect(os.WriteFile(path, nil, 0o644)).To(Succeed()) }),
		Entry("a directory", 60, func(path string) { Expect(os.Mkdir(path, 0o755)).To(Succeed()) }),
		Entry("a link that leads nowhere", 60, func(path string) { Expect(os.Symlink("none", path)).To(Succeed()) }),
		Entry("a socket on which a process listens", 300, func(path string) { listening(path) }),
		Entry("a dead socket", 300, func(path string) { Expect(listening(path).Close()).To(Succeed()) }))

	Context("that another one has replaced", func() {
		It("is not here any more, and does not remove the other one", testproc.Patience, func(ctx SpecContext) {
			old := plain()
			Expect(os.Remove(old.Path())).To(Succeed())
			Expect(old.Here()).To(BeFalse())
			successor := listening(old.Path())
			Expect(old.Here()).To(BeFalse())
			Expect(old.Unlink()).To(Succeed())
			Expect(old.Close()).To(Succeed())
			Expect(successor.Here()).To(BeTrue())
			converse(ctx, successor, old.Path())
		})

		It("leaves a file and a directory that have its name", func() {
			l := plain()
			Expect(os.Remove(l.Path())).To(Succeed())
			Expect(os.WriteFile(l.Path(), nil, 0o600)).To(Succeed())
			Expect(l.Unlink()).To(Succeed())
			Expect(l.Path()).To(BeARegularFile())
			Expect(os.Remove(l.Path())).To(Succeed())
			Expect(os.Mkdir(l.Path(), 0o700)).To(Succeed())
			Expect(l.Unlink()).To(Succeed())
			Expect(l.Path()).To(BeADirectory())
		})
	})

	It("leaves its name when it is closed, and then takes none", func() {
		l := plain()
		Expect(l.Close()).To(Succeed())
		Expect(kindAt(l.Path())).To(Equal(fs.ModeSocket))
		Expect(l.Here()).To(BeFalse())
		Expect(l.Unlink()).To(Succeed())
		Expect(kindAt(l.Path())).To(Equal(fs.ModeSocket))
	})

	It("is no longer here when its directory is renamed", func() {
		dir := filepath.Join(place(), "store")
		Expect(os.Mkdir(dir, 0o700)).To(Succeed())
		l := listening(filepath.Join(dir, "s"))
		Expect(os.Rename(dir, dir+"2")).To(Succeed())
		Expect(l.Here()).To(BeFalse())
		Expect(os.Rename(dir+"2", dir)).To(Succeed())
		Expect(l.Here()).To(BeTrue())
	})
})

var _ = Describe("The queue of a socket", func() {
	It("is emptied without waiting", testproc.Patience, func(ctx SpecContext) {
		l := plain()
		Expect(l.AcceptNow()).Error().To(MatchError(unixsocket.ErrEmpty))
		for range 3 {
			dial(ctx, l.Path())
		}
		Expect(l.SetDeadline(time.Unix(1, 0))).To(Succeed())
		Expect(l.Accept()).Error().To(MatchError(os.ErrDeadlineExceeded))
		for range 3 {
			conn, err := l.AcceptNow()
			Expect(err).NotTo(HaveOccurred())
			Expect(conn.Close()).To(Succeed())
		}
		Expect(l.AcceptNow()).Error().To(MatchError(unixsocket.ErrEmpty))
	})

	It("gives connections that read and write like others", testproc.Patience, func(ctx SpecContext) {
		l := plain()
		client := dial(ctx, l.Path())
		server, err := l.AcceptNow()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(server.Close)
		Expect(server.SetReadDeadline(time.Unix(1, 0))).To(Succeed())
		Expect(server.Read(make([]byte, 1))).Error().To(MatchError(os.ErrDeadlineExceeded))
		Expect(server.SetReadDeadline(time.Time{})).To(Succeed())
		read := make(chan error, 1)
		go func() {
			_, err := server.Read(make([]byte, 1))
			read <- err
		}()
		Expect(client.Write([]byte("x"))).To(Equal(1))
		Eventually(read).Should(Receive(BeNil()))
	})

	It("is lost when the socket is closed, and Accept ends", testproc.Patience, func(ctx SpecContext) {
		l := plain()
		ended := make(chan error, 1)
		go func() {
			_, err := l.Accept()
			ended <- err
		}()
		Expect(l.Close()).To(Succeed())
		Eventually(ended).Should(Receive(MatchError(net.ErrClosed)))
		Expect(l.AcceptNow()).Error().To(Satisfy(func(err error) bool {
			return errors.Is(err, net.ErrClosed) && !errors.Is(err, unixsocket.ErrEmpty)
		}))
	})

	It("can be emptied while the kernel refuses new connections", Label("linux"), testproc.Patience, func(ctx SpecContext) {
		l := plain()
		waiting := dial(ctx, l.Path())
		Expect(waiting.Write([]byte("x"))).To(Equal(1))
		Expect(l.Refuse()).To(Succeed())
		Expect(unixsocket.Dial(ctx, l.Path())).Error().To(MatchError(unixsocket.ErrRefused))
		server, err := l.AcceptNow()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(server.Close)
		Expect(server.Read(make([]byte, 2))).To(Equal(1))
		Expect(server.Write([]byte("yes"))).To(Equal(3))
		Expect(waiting.Read(make([]byte, 4))).To(Equal(3))
		Expect(l.AcceptNow()).Error().To(MatchError(unixsocket.ErrEmpty))
		Expect(l.Here()).To(BeTrue())
	})

	It("ends an Accept that waits when the kernel refuses", Label("linux"), testproc.Patience, func(ctx SpecContext) {
		l := plain()
		ended := make(chan error, 1)
		go func() {
			_, err := l.Accept()
			ended <- err
		}()
		Expect(l.Refuse()).To(Succeed())
		Eventually(ended).Should(Receive(MatchError(net.ErrClosed)))
	})

	It("cannot be closed to new connections alone on macOS", Label("macos"), func() {
		Expect(plain().Refuse()).To(MatchError(errors.ErrUnsupported))
	})

	// docs/xnu.md X54.
	It("cannot be shut down on macOS", Label("macos", "native", "probe"), func() {
		if os.Getenv("HARNESS_EXEC") != "" {
			Skip("the runner of the macOS build has the shutdown of Linux")
		}
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { _ = unix.Close(fd) })
		Expect(unix.Bind(fd, &unix.SockaddrUnix{Name: filepath.Join(place(), "s")})).To(Succeed())
		Expect(unix.Listen(fd, 1)).To(Succeed())
		Expect(unix.Shutdown(fd, unix.SHUT_RD)).To(MatchError(unix.ENOTCONN))
	})
})

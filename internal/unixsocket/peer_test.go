//go:build darwin || linux

package unixsocket_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// peerError returns the error alone: the user is there beside it.
func peerError(conn *net.UnixConn) error {
	_, err := unixsocket.PeerOf(conn)
	return err
}

var _ = Describe("The peer of a connection", func() {
	It("is this process at both ends where it connects to itself", testproc.Patience, func(ctx SpecContext) {
		l := plain()
		client := dial(ctx, l.Path())
		self := unixsocket.Peer{User: os.Geteuid(), Process: identity(ctx, os.Getpid())}
		Expect(unixsocket.PeerOf(accepted(l))).To(Equal(self))
		Expect(unixsocket.PeerOf(client)).To(Equal(self))
		Expect(unixsocket.UserOf(client)).To(Equal(os.Geteuid()))
	})

	It("is the process that connected, also once it is stopped", testproc.Patience, func(ctx SpecContext) {
		l := plain()
		r := testproc.Lead(1, testproc.Played("caller", pathVariable+"="+l.Path()))
		_, pid := r.Person()
		server := accepted(l)
		want := unixsocket.Peer{User: os.Geteuid(), Process: identity(ctx, pid)}
		Expect(unixsocket.PeerOf(server)).To(Equal(want))
		Expect(syscall.Kill(pid, syscall.SIGSTOP)).To(Succeed())
		Expect(unixsocket.PeerOf(server)).To(Equal(want))
		testproc.Continue(pid)
	})

	It("is no zombie, and no process that has ended", testproc.Patience, func(ctx SpecContext) {
		l := plain()
		r := testproc.Lead(1, testproc.Played("caller", pathVariable+"="+l.Path()))
		_, pid := r.Person()
		server := accepted(l)
		r.Open(0)
		Eventually(func() process.State { return testproc.Look(ctx, pid).State }).Should(Equal(process.Zombie))
		gone := Or(MatchError(process.ErrGone), MatchError(unixsocket.ErrHungUp))
		Expect(peerError(server)).To(gone)
		r.Reap()
		peer, err := unixsocket.PeerOf(server)
		Expect(err).To(gone)
		Expect(peer).To(Equal(unixsocket.Peer{User: os.Geteuid()}))
	})

	// heirs has a child write to the connection of its dead parent.
	heirs := func(l *unixsocket.Listener) (r *testproc.Root, parent, heir int) {
		GinkgoHelper()
		r = testproc.Lead(3, testproc.Played("parent", pathVariable+"="+l.Path()))
		pids := r.Persons(2)
		r.Open(0)
		r.Reap()
		return r, pids["parent"], pids["heir"]
	}

	It("has ended although a child of it writes", Label("linux"), testproc.Patience, func(ctx SpecContext) {
		l := plain()
		r, _, heir := heirs(l)
		server := accepted(l)
		Expect(peerError(server)).To(MatchError(process.ErrGone))
		Expect(unixsocket.HungUp(server)).To(BeFalse())
		r.Open(1)
		Expect(server.Read(make([]byte, 2))).To(Equal(1))
		Expect(peerError(server)).To(MatchError(process.ErrGone))
		Expect(unixsocket.UserOf(server)).To(Equal(os.Geteuid()))
		Expect(testproc.Look(ctx, heir).State).To(Equal(process.Running))
		r.Open(2)
		Eventually(unixsocket.HungUp).WithArguments(server).Should(BeTrue())
	})

	It("is no other process that has got its PID", Label("linux", "reuse"), testproc.Patience, func(ctx SpecContext) {
		l := plain()
		_, parent, _ := heirs(l)
		server := accepted(l)
		exit, err := testproc.ReusePID(parent)
		if err != nil {
			Skip("PIDs cannot be used again here: " + err.Error())
		}
		Expect(exit).NotTo(BeNil(), "the PID could not be used again")
		DeferCleanup(exit)
		Expect(testproc.Look(ctx, parent).State).To(Equal(process.Running))
		Expect(peerError(server)).To(MatchError(process.ErrGone))
	})

	// docs/xnu.md X55.
	It("is on macOS the child that writes", Label("macos", "probe"), testproc.Patience, func(ctx SpecContext) {
		l := plain()
		r, _, heir := heirs(l)
		server := accepted(l)
		Expect(peerError(server)).To(MatchError(process.ErrGone))
		r.Open(1)
		Expect(server.Read(make([]byte, 2))).To(Equal(1))
		Expect(unixsocket.PeerOf(server)).To(Equal(unixsocket.Peer{User: os.Geteuid(), Process: identity(ctx, heir)}))
		r.Open(2)
		Eventually(unixsocket.HungUp).WithArguments(server).Should(BeTrue())
		Expect(peerError(server)).To(MatchError(unixsocket.ErrHungUp))
	})

	It("is foreign where its PID namespace is not one of this process", Label("linux", "namespaces"), testproc.Patience, func(ctx SpecContext) {
		unshare := []string{"unshare", "--pid", "--fork", "--kill-child", "--mount-proc"}
		if err := exec.Command(unshare[0], append(unshare[1:], "true")...).Run(); err != nil {
			Skip("no PID namespace can be made here: " + err.Error())
		}
		path := filepath.Join(place(), "s")
		cue := testproc.Played("server", pathVariable+"="+path)
		cue.Argv = append(unshare, cue.Argv...)
		r := testproc.Lead(0, cue)
		Expect(r.Line()).To(Equal("listens 1"))
		dial(ctx, path)
		Expect(r.Line()).To(Equal("user " + testproc.Itoa(os.Geteuid())))
		Expect(r.Line()).To(ContainSubstring(unixsocket.ErrForeign.Error()))
	})

	It("is an error of a connection that this process has closed", testproc.Patience, func(ctx SpecContext) {
		l := plain()
		client := dial(ctx, l.Path())
		Expect(client.Close()).To(Succeed())
		_, err := unixsocket.PeerOf(client)
		Expect(err).To(MatchError(net.ErrClosed))
		_, err = unixsocket.UserOf(client)
		Expect(err).To(MatchError(net.ErrClosed))
		Expect(unixsocket.HungUp(client)).To(BeTrue())
	})
})

var _ = Describe("A connection has hung up", Label("probe"), func() {
	It("once the other end is closed, whatever it has left to read", testproc.Patience, func(ctx SpecContext) {
		l := plain()
		client := dial(ctx, l.Path())
		server := accepted(l)
		Expect(unixsocket.HungUp(server)).To(BeFalse())
		Expect(client.Write([]byte("x"))).To(Equal(1))
		Expect(unixsocket.HungUp(server)).To(BeFalse())
		Expect(client.Close()).To(Succeed())
		Expect(unixsocket.HungUp(server)).To(BeTrue())
		Expect(server.Read(make([]byte, 2))).To(Equal(1))
	})

	It("not when the other end has only ended its writing", testproc.Patience, func(ctx SpecContext) {
		l := plain()
		client := dial(ctx, l.Path())
		server := accepted(l)
		Expect(client.CloseWrite()).To(Succeed())
		Expect(unixsocket.HungUp(server)).To(BeFalse())
		Expect(server.Write([]byte("x"))).To(Equal(1))
		Expect(client.Read(make([]byte, 2))).To(Equal(1))
	})

	It("before it was accepted", testproc.Patience, func(ctx SpecContext) {
		l := plain()
		Expect(dial(ctx, l.Path()).Close()).To(Succeed())
		Expect(unixsocket.HungUp(accepted(l))).To(BeTrue())
	})
})

//go:build darwin || linux

package varlink_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/internal/varlink"
)

var _ = Describe("A server without descriptors", func() {
	It("answers each client that it is busy, and does not spin", testproc.Patience, func(ctx SpecContext) {
		path := filepath.Join(GinkgoT().TempDir(), "s")
		r := testproc.Lead(1, testproc.Played("exhausted", "SOCKET="+path))
		Expect(r.Line()).To(HavePrefix("exhausted"))
		const clients = 20
		for range clients {
			Expect(asked(ctx, connected(ctx, path), example+".Echo")).To(And(named(varlink.Busy), MatchError(ContainSubstring("file descriptor"))))
		}
		r.Open(0)
		name, asked := r.Person()
		Expect(name).To(Equal("asked"))
		// Each client takes two: one fails, one is by the spare descriptor. Before and after
		// them it waits.
		Expect(asked).To(BeNumerically("<=", 2*clients+3))
	})

	It("serves a client that comes when there are some again", testproc.Patience, func(ctx SpecContext) {
		l := &scripted{answers: make(chan any, 2)}
		server := &varlink.Server{Service: newDoor().service()}
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(ctx, l) }()
		client, conn := pair(ctx)
		l.answers <- syscall.EMFILE
		Eventually(l.asked.Load).Should(BeNumerically("==", 2))
		l.answers <- conn
		Expect(asked(ctx, client, example+".Echo")).To(Succeed())
		close(l.answers)
		Eventually(ended).Should(Receive(BeNil()))
		Expect(client.Close()).To(Succeed())
		Expect(server.Wait(ctx)).To(Succeed())
	})

	It("waits for the end of a connection where even the spare one is gone", testproc.Patience, func(ctx SpecContext) {
		l := &scripted{answers: make(chan any, 10), times: make(chan time.Time, 7)}
		server := &varlink.Server{Service: newDoor().service()}
		ended := make(chan error, 1)
		client, conn := pair(ctx)
		l.answers <- conn
		go func() { ended <- server.Serve(ctx, l) }()
		Expect(asked(ctx, client, example+".Echo")).To(Succeed())
		// The spare descriptor goes to a connection that is not there any more.
		var limit unix.Rlimit
		Expect(unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)).To(Succeed())
		none := limit
		none.Cur = 3
		Expect(unix.Setrlimit(unix.RLIMIT_NOFILE, &none)).To(Succeed())
		restore := sync.OnceFunc(func() { Expect(unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)).To(Succeed()) })
		DeferCleanup(restore)
		for range 10 {
			l.answers <- syscall.EMFILE
		}
		times := make([]time.Time, 7)
		for i := range times {
			Eventually(l.times).Should(Receive(&times[i]))
		}
		// The first gets the connection. The next two lose the spare descriptor.
		for i, pause := range []time.Duration{10 * time.Millisecond, 20 * time.Millisecond, 40 * time.Millisecond} {
			Expect(times[i+4].Sub(times[i+3])).To(BeNumerically(">=", pause), "it pauses, longer each time")
		}
		Expect(client.Close()).To(Succeed())
		restore()
		close(l.answers)
		Eventually(ended).Should(Receive(BeNil()))
		Expect(server.Wait(ctx)).To(Succeed())
	})
})

// A counting listener counts how often it is asked.
type counting struct {
	varlink.Acceptor
	asked atomic.Int64
}

func (c *counting) Accept() (*net.UnixConn, error) {
	c.asked.Add(1)
	return c.Acceptor.Accept()
}

// exhausted serves as a part, without a descriptor for a connection, until gate 0 is open.
// Then it prints how often it has asked for a connection.
func exhausted() {
	l, err := unixsocket.Listen(os.Getenv("SOCKET"))
	testproc.Must(err)
	counted := &counting{Acceptor: l}
	server := &varlink.Server{}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(context.Background(), counted) }()
	for counted.asked.Load() == 0 { // it has its spare descriptor before
		time.Sleep(time.Millisecond) // Serve does not report that it waits
	}
	used, err := unix.Dup(0)
	testproc.Must(err)
	testproc.Must(unix.Close(used))
	testproc.Must(unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(used), Max: uint64(used)}))
	fmt.Println("exhausted", os.Getpid())
	_, _ = os.NewFile(4, "gate").Read(make([]byte, 1))
	testproc.Must(l.Close())
	testproc.Must(<-ended)
	fmt.Println("asked", counted.asked.Load())
}

// A scripted listener returns what it is given. It tells when it is asked, if there is room.
type scripted struct {
	counting
	answers chan any
	times   chan time.Time
}

func (s *scripted) Accept() (*net.UnixConn, error) {
	s.asked.Add(1)
	select {
	case s.times <- time.Now():
	default:
	}
	switch next := (<-s.answers).(type) {
	case error:
		return nil, next
	case *net.UnixConn:
		return next, nil
	}
	return nil, net.ErrClosed
}

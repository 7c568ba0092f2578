//go:build darwin || linux

package varlink_test

import (
	"context"
	"errors"
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

var _ = Describe("A server", func() {
	It("serves many clients at once", testproc.Patience, func(ctx SpecContext) {
		server := &varlink.Server{Service: newDoor().service()}
		path, _, _ := serving(server)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				defer GinkgoRecover()
				conn, err := unixsocket.Dial(ctx, path)
				Expect(err).NotTo(HaveOccurred())
				defer conn.Close()
				for range 20 {
					Expect(asked(ctx, conn, example+".Echo")).To(Succeed())
				}
			})
		}
		all.Wait()
		Eventually(server.Connections).Should(BeZero())
		Expect(server.InWork()).To(BeZero())
	})

	It("answers a connection that is one too many, and the next when one has ended", testproc.Patience, func(ctx SpecContext) {
		server := &varlink.Server{Service: newDoor().service(), MaxConnections: 2}
		path, _, _ := serving(server)
		first, second := connected(ctx, path), connected(ctx, path)
		Eventually(server.Connections).Should(Equal(2))
		third := connected(ctx, path)
		Expect(asked(ctx, third, example+".Echo")).To(And(named(varlink.Busy), MatchError(ContainSubstring("2 connections"))))
		Expect(asked(ctx, second, example+".Echo")).To(Succeed())
		Expect(first.Close()).To(Succeed())
		Eventually(server.Connections).Should(Equal(1))
		Expect(asked(ctx, connected(ctx, path), example+".Echo")).To(Succeed())
	})

	It("answers each of 1,000 connections that are left open", testproc.Patience, func(ctx SpecContext) {
		server := &varlink.Server{Service: newDoor().service(), Limits: varlink.Limits{Idle: time.Hour}} // none ends for its silence
		path, _, _ := serving(server)
		early := connected(ctx, path)
		Expect(asked(ctx, early, example+".Echo")).To(Succeed())
		busy := 0
		for range 1000 {
			conn := connected(ctx, path)
			if err := asked(ctx, conn, example+".Echo"); err != nil {
				Expect(err).To(named(varlink.Busy))
				busy++
			}
			if busy%100 == 1 {
				Expect(asked(ctx, early, example+".Echo")).To(Succeed())
			}
		}
		Expect(busy).To(Equal(1000 - 127))
		Expect(server.Connections()).To(Equal(128))
	})

	It("serves others while 1,000 clients are silent", testproc.Patience, func(ctx SpecContext) {
		server := &varlink.Server{Service: newDoor().service(), MaxConnections: 2000}
		path, _, _ := serving(server)
		for range 1000 {
			send(connected(ctx, path), `{"meth`)
		}
		Expect(asked(ctx, connected(ctx, path), example+".Echo")).To(Succeed())
	})

	It("refuses who is not admitted, and asks no method", testproc.Patience, func(ctx SpecContext) {
		d := newDoor()
		server := &varlink.Server{Service: d.service(), Admit: func(conn *net.UnixConn) error {
			user, err := unixsocket.UserOf(conn)
			return errors.Join(err, fmt.Errorf("you are user %d", user))
		}}
		path, _, _ := serving(server)
		conn := connected(ctx, path)
		err := asked(ctx, conn, example+".Wait")
		Expect(err).To(And(named(varlink.NotPermitted), MatchError(ContainSubstring("you are user %d", os.Geteuid()))))
		Expect(rest(conn)).To(BeEmpty())
		Expect(d.asked).NotTo(Receive())
		Eventually(server.Connections).Should(BeZero())
	})

	It("says when nothing is in work", testproc.Patience, func(ctx SpecContext) {
		d := newDoor()
		idle := make(chan int, 10)
		server := &varlink.Server{Service: d.service(), Idle: func() { idle <- 0 }}
		path, _, _ := serving(server)
		conn := connected(ctx, path)
		Eventually(server.InWork).Should(Equal(1), "a new connection has a request, or will")
		answered := make(chan error, 1)
		go func() { answered <- asked(ctx, conn, example+".Wait") }()
		Eventually(d.asked).Should(Receive())
		Expect(server.InWork()).To(Equal(1))
		Expect(idle).NotTo(Receive())
		close(d.release)
		Eventually(answered).Should(Receive(BeNil()))
		Eventually(idle).Should(Receive())
		Expect(server.InWork()).To(BeZero())
		Expect(server.Connections()).To(Equal(1))
		send(conn, `{"method":`)
		Eventually(server.InWork).Should(Equal(1), "a request is in work from its first byte on")
		Expect(conn.Close()).To(Succeed())
		Eventually(idle).Should(Receive())
		Eventually(server.Connections).Should(BeZero())
	})

	It("says so too when a client leaves without a request", testproc.Patience, func(ctx SpecContext) {
		idle := make(chan int, 10)
		server := &varlink.Server{Idle: func() { idle <- 0 }}
		path, _, _ := serving(server)
		conn := connected(ctx, path)
		Eventually(server.InWork).Should(Equal(1))
		Expect(conn.Close()).To(Succeed())
		Eventually(idle).Should(Receive())
	})
})

var _ = Describe("The end of a server", func() {
	It("waits for requests in work, and for no client that is silent", testproc.Patience, func(ctx SpecContext) {
		d := newDoor()
		server := &varlink.Server{Service: d.service(), Limits: varlink.Limits{Idle: time.Hour}}
		path, l, ended := serving(server)
		silent, between, working := connected(ctx, path), connected(ctx, path), connected(ctx, path)
		Expect(asked(ctx, between, example+".Echo")).To(Succeed())
		answered := make(chan error, 1)
		go func() { answered <- asked(ctx, working, example+".Wait") }()
		Eventually(d.asked).Should(Receive())

		Expect(l.Close()).To(Succeed())
		Eventually(ended).Should(Receive(BeNil()))
		waited := make(chan error, 1)
		go func() { waited <- server.Wait(ctx) }()
		Expect(rest(silent)).To(BeEmpty())
		Expect(rest(between)).To(BeEmpty())
		Eventually(server.Connections).Should(Equal(1))
		Expect(waited).NotTo(Receive())
		close(d.release)
		Eventually(answered).Should(Receive(BeNil()))
		Eventually(waited).Should(Receive(BeNil()))
	})

	It("answers a request that was sent before, and one that was read ahead", testproc.Patience, func(ctx SpecContext) {
		d := newDoor()
		server := &varlink.Server{Service: d.service(), Limits: varlink.Limits{Idle: time.Hour}}
		path, l, _ := serving(server)
		conn := connected(ctx, path)
		send(conn, `{"method":"org.example.door.Wait"}|{"method":"org.example.door.Nothing"}|`)
		Eventually(d.asked).Should(Receive())
		Expect(l.Close()).To(Succeed())
		waited := make(chan error, 1)
		go func() { waited <- server.Wait(ctx) }()
		close(d.release)
		Expect(answer(conn)).To(MatchJSON(`{"parameters":{"was":"released"}}`))
		Expect(answer(conn)).To(MatchJSON(`{"parameters":{}}`))
		Expect(rest(conn)).To(BeEmpty())
		Eventually(waited).Should(Receive(BeNil()))
	})

	It("answers what waited in the queue of the listener", testproc.Patience, func(ctx SpecContext) {
		server := &varlink.Server{Service: newDoor().service()}
		dir := GinkgoT().TempDir()
		l, err := unixsocket.Listen(filepath.Join(dir, "s"))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(l.Close)
		conn := connected(ctx, l.Path())
		send(conn, `{"method":"org.example.door.Nothing"}|`)
		for {
			waiting, err := l.AcceptNow()
			if errors.Is(err, unixsocket.ErrEmpty) {
				break
			}
			Expect(err).NotTo(HaveOccurred())
			server.Take(ctx, waiting)
		}
		Expect(server.InWork() + server.Connections()).To(BeNumerically(">", 0))
		Expect(server.Wait(ctx)).To(Succeed())
		Expect(answer(conn)).To(MatchJSON(`{"parameters":{}}`))
		Expect(rest(conn)).To(BeEmpty())
	})

	It("is that of its patience where a method does not end", testproc.Patience, func(ctx SpecContext) {
		d := newDoor()
		server := &varlink.Server{Service: d.service()}
		path, l, _ := serving(server)
		conn := connected(ctx, path)
		send(conn, `{"method":"org.example.door.Wait"}|`)
		Eventually(d.asked).Should(Receive())
		Expect(l.Close()).To(Succeed())
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		Expect(server.Wait(short)).To(MatchError(context.DeadlineExceeded))
		Expect(rest(conn)).To(BeEmpty())
		close(d.release)
	})

	It("ends the context of a method in work when that of the server ends", testproc.Patience, func(ctx SpecContext) {
		d := newDoor()
		server := &varlink.Server{Service: d.service()}
		client, conn := pair(ctx)
		inner, cancel := context.WithCancel(ctx)
		server.Take(inner, conn)
		answered := make(chan error, 1)
		go func() { answered <- asked(ctx, client, example+".Wait") }()
		Eventually(d.asked).Should(Receive())
		cancel()
		Eventually(answered).Should(Receive(And(named(varlink.Failed), MatchError(ContainSubstring("the server stops")))))
		Expect(server.Wait(ctx)).To(Succeed())
	})

	It("is an error where the listener fails", testproc.Patience, func(ctx SpecContext) {
		l := &scripted{answers: make(chan any, 1)}
		l.answers <- syscall.EBADF
		Expect(new(varlink.Server).Serve(ctx, l)).To(MatchError(syscall.EBADF))
	})
})

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

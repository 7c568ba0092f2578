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
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/internal/varlink"
)

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

//go:build darwin || linux

package resident_test

import (
	"context"
	"net"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/internal/varlink"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
)

// impostor answers at the socket of a store as a resident would, and watches nothing. Where
// a method is named, that alone takes as long as answer does; else all do.
func impostor(s *monitor.Store, answer func(context.Context) error, only ...string) {
	GinkgoHelper()
	lock, err := resident.TryLock(s)
	Expect(err).NotTo(HaveOccurred())
	door, err := unixsocket.Listen(resident.SocketPath(s))
	Expect(err).NotTo(HaveOccurred())
	method := func(name string) varlink.Method {
		return func(ctx context.Context, _ *varlink.Request) (any, error) {
			if len(only) == 0 || name == only[0] {
				return nil, answer(ctx)
			}
			return nil, nil
		}
	}
	server := &varlink.Server{Service: varlink.Service{Interfaces: []varlink.Interface{{
		Name: resident.InterfaceName, Methods: map[string]varlink.Method{"Status": method("Status"), "Watch": method("Watch")},
	}}}}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(ctx, door)
	}()
	DeferCleanup(func() {
		stop()
		_ = door.Close()
		<-ended
		Expect(server.Wait(context.Background())).To(Succeed())
		Expect(lock.Close()).To(Succeed())
	})
}

// mute serves a store and answers no request. It returns how many connections there were.
func mute(s *monitor.Store) *atomic.Int32 {
	GinkgoHelper()
	door, err := unixsocket.Listen(resident.SocketPath(s))
	Expect(err).NotTo(HaveOccurred())
	var asked atomic.Int32
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := door.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			hangUp(conn)
		}
	}()
	DeferCleanup(func() {
		_ = door.Close()
		<-ended
	})
	return &asked
}

// hangUp closes a connection when a request has come.
func hangUp(conn *net.UnixConn) {
	_, _ = conn.Read(make([]byte, 1))
	_ = conn.Close()
}

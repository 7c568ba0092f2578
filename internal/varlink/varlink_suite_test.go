//go:build darwin || linux

package varlink_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/internal/varlink"
)

// The test binary is also a server that has no descriptors left.
func TestMain(m *testing.M) { testproc.Main(m, map[string]func(){"exhausted": exhausted}) }

func TestVarlink(t *testing.T) {
	EnforceDefaultTimeoutsWhenUsingContexts()
	SetDefaultEventuallyTimeout(30 * time.Second)
	RegisterFailHandler(Fail)
	RunSpecs(t, "Varlink")
}

var _ = testproc.CheckLeaks()

const example = "org.example.door"

// A door is a service to ask.
type door struct {
	asked   chan string   // is told of each request to Wait
	release chan struct{} // ends Wait
	reports chan error
}

func newDoor() *door {
	return &door{make(chan string, 1), make(chan struct{}), make(chan error, 1)}
}

func (d *door) service() varlink.Service {
	return varlink.Service{
		Vendor: "Example", Product: "door", Version: "1.2", URL: "https://example.org",
		Report: func(err error) { d.reports <- err },
		Interfaces: []varlink.Interface{{Name: example, Description: "interface " + example + "\n", Methods: map[string]varlink.Method{
			"Echo": echo,
			"Wait": func(ctx context.Context, r *varlink.Request) (any, error) {
				d.asked <- r.Method
				select {
				case <-d.release:
					return map[string]string{"was": "released"}, nil
				case <-ctx.Done():
					return nil, errors.New("the server stops")
				}
			},
			"Peer": func(_ context.Context, r *varlink.Request) (any, error) {
				peer, err := unixsocket.PeerOf(r.Conn())
				return map[string]int{"pid": peer.Process.PID}, err
			},
			"Nothing": func(context.Context, *varlink.Request) (any, error) { return nil, nil },
			"Locked": func(context.Context, *varlink.Request) (any, error) {
				return nil, &varlink.Error{Name: example + ".IsLocked", Parameters: map[string]int{"keys": 3}}
			},
			"Fails":  func(context.Context, *varlink.Request) (any, error) { return nil, errors.New("the hinge is broken") },
			"Panics": func(context.Context, *varlink.Request) (any, error) { panic("slammed") },
			"Odd":    func(context.Context, *varlink.Request) (any, error) { return make(chan int), nil },
		}}},
	}
}

func echo(_ context.Context, r *varlink.Request) (any, error) {
	var in struct {
		Text  string `json:"text"`
		Times int    `json:"times"`
	}
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	if in.Text == "" {
		return nil, varlink.WrongParameter("text")
	}
	return map[string]string{"text": strings.Repeat(in.Text, max(in.Times, 1))}, nil
}

// serving serves at a socket until the spec ends, and returns its path.
func serving(s *varlink.Server) (path string, l *unixsocket.Listener, ended <-chan error) {
	GinkgoHelper()
	dir, err := os.MkdirTemp("/tmp", "v")
	Expect(err).NotTo(HaveOccurred())
	path = filepath.Join(dir, "s")
	l, err = unixsocket.Listen(path)
	Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l); close(done) }()
	DeferCleanup(func(ctx SpecContext) {
		_ = l.Close()
		cancel()
		Eventually(done).Should(BeClosed())
		Expect(s.Wait(ctx)).To(Succeed())
		Expect(os.RemoveAll(dir)).To(Succeed())
	})
	return path, l, done
}

// connected returns a connection to a path.
func connected(ctx context.Context, path string) *net.UnixConn {
	GinkgoHelper()
	conn, err := unixsocket.Dial(ctx, path)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { _ = conn.Close() })
	return conn
}

// pair returns a connection with both its ends.
func pair(ctx context.Context) (client, server *net.UnixConn) {
	GinkgoHelper()
	dir, err := os.MkdirTemp("/tmp", "v")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, dir)
	l, err := unixsocket.Listen(filepath.Join(dir, "s"))
	Expect(err).NotTo(HaveOccurred())
	client = connected(ctx, l.Path())
	server, err = l.AcceptNow()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { _ = server.Close() })
	Expect(l.Close()).To(Succeed())
	return client, server
}

// handled handles one connection with short limits, and returns the other end.
func handled(ctx context.Context, s varlink.Service, limits varlink.Limits) (client *net.UnixConn, ended <-chan error) {
	GinkgoHelper()
	client, server := pair(ctx)
	done := make(chan error, 1)
	go func() { done <- s.Handle(ctx, server, limits) }()
	return client, done
}

// send writes text, in which | stands for the zero byte.
func send(conn *net.UnixConn, text string) {
	GinkgoHelper()
	_, err := conn.Write([]byte(strings.ReplaceAll(text, "|", "\x00")))
	Expect(err).NotTo(HaveOccurred())
}

// answer reads one message.
func answer(conn *net.UnixConn) string {
	GinkgoHelper()
	Expect(conn.SetReadDeadline(time.Now().Add(testproc.Limit))).To(Succeed())
	var text []byte
	for one := make([]byte, 1); ; {
		_, err := conn.Read(one)
		Expect(err).NotTo(HaveOccurred(), "after %q", text)
		if one[0] == 0 {
			return string(text)
		}
		text = append(text, one[0])
	}
}

// rest reads until the service closes the connection. A reset, for what it has not read, is
// an end too.
func rest(conn *net.UnixConn) string {
	GinkgoHelper()
	Expect(conn.SetReadDeadline(time.Now().Add(testproc.Limit))).To(Succeed())
	var all bytes.Buffer
	_, err := io.Copy(&all, conn)
	Expect(errors.Is(err, os.ErrDeadlineExceeded)).To(BeFalse(), "the connection is still open")
	return all.String()
}

// asked calls a method and returns the error.
func asked(ctx context.Context, conn *net.UnixConn, method string) error {
	return varlink.Call(ctx, conn, method, map[string]string{"text": "knock"}, nil)
}

// named matches an error of a service by its name.
func named(name string) OmegaMatcher {
	return WithTransform(func(err error) string {
		if e, ok := errors.AsType[*varlink.Error](err); ok {
			return e.Name
		}
		return "no varlink error"
	}, Equal(name))
}

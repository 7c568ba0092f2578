//go:build darwin || linux

package unixsocket_test

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// The test binary is also the processes at the other end of a connection.
func TestMain(m *testing.M) {
	testproc.Main(m, map[string]func(){"caller": caller, "parent": parent, "heir": heir, "server": server})
}

func TestUnixSocket(t *testing.T) {
	EnforceDefaultTimeoutsWhenUsingContexts()
	SetDefaultEventuallyTimeout(30 * time.Second)
	RegisterFailHandler(Fail)
	RunSpecs(t, "Unix sockets")
}

var _ = testproc.CheckLeaks()

// pathVariable names the socket that a part connects to, or listens at.
const pathVariable = "SOCKET"

// call connects as a part.
func call() *net.UnixConn {
	conn, err := unixsocket.Dial(context.Background(), os.Getenv(pathVariable))
	testproc.Must(err)
	return conn
}

// gate waits at a gate of a part, the first of which is descriptor 4.
func gate(number int) {
	_, _ = os.NewFile(uintptr(4+number), "gate").Read(make([]byte, 1))
}

// caller connects, and ends when gate 0 is open.
func caller() {
	conn := call()
	fmt.Println("caller", os.Getpid())
	gate(0)
	_ = conn.Close()
}

// parent connects, leaves the connection to a child, and ends when gate 0 is open.
func parent() {
	conn := call()
	file, err := conn.File()
	testproc.Must(err)
	self, err := os.Executable()
	testproc.Must(err)
	child := exec.Command(self)
	child.Env = append(os.Environ(), "TRACKER_PART=heir")
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	// It has the descriptor of the oracle and the gates as this process has them.
	for fd := uintptr(3); fd < 7; fd++ {
		child.ExtraFiles = append(child.ExtraFiles, os.NewFile(fd, "inherited"))
	}
	child.ExtraFiles = append(child.ExtraFiles, file)
	testproc.Must(child.Start())
	fmt.Println("parent", os.Getpid())
	_, _ = child.ExtraFiles[1].Read(make([]byte, 1))
}

// heir has a connection of its parent. It writes when gate 1 is open, and ends when gate 2
// is.
func heir() {
	inherited := os.NewFile(7, "connection")
	fmt.Println("heir", os.Getpid())
	gate(1)
	_, err := inherited.Write([]byte("x"))
	testproc.Must(err)
	fmt.Println("wrote", os.Getpid())
	gate(2)
}

// server accepts one connection, and prints what its peer is.
func server() {
	l, err := unixsocket.Listen(os.Getenv(pathVariable))
	testproc.Must(err)
	fmt.Println("listens", os.Getpid())
	conn, err := l.Accept()
	testproc.Must(err)
	peer, err := unixsocket.PeerOf(conn)
	fmt.Printf("user %d\n%v\n", peer.User, err)
}

// place returns a short directory for sockets.
func place() string {
	GinkgoHelper()
	dir, err := os.MkdirTemp("/tmp", "s")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, dir)
	return dir
}

// pathOf returns a path of so many bytes, whose directory exists.
func pathOf(length int) string {
	GinkgoHelper()
	const name = "/resident.sock"
	dir := place()
	for room := length - len(dir) - len(name); room > 0; room = length - len(dir) - len(name) {
		part := min(room-1, 100)
		if room-1-part == 1 { // a slash without a name would be left
			part--
		}
		dir += "/" + strings.Repeat("d", part)
	}
	Expect(os.MkdirAll(dir, 0o700)).To(Succeed())
	Expect(dir + name).To(HaveLen(length))
	return dir + name
}

// listening returns a socket at a path.
func listening(path string) *unixsocket.Listener {
	GinkgoHelper()
	l, err := unixsocket.Listen(path)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { _ = l.Close() })
	return l
}

// plain returns a socket at a short path.
func plain() *unixsocket.Listener {
	GinkgoHelper()
	return listening(filepath.Join(place(), "s"))
}

func dial(ctx context.Context, path string) *net.UnixConn {
	GinkgoHelper()
	conn, err := unixsocket.Dial(ctx, path)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { _ = conn.Close() })
	return conn
}

func accepted(l *unixsocket.Listener) *net.UnixConn {
	GinkgoHelper()
	conn, err := l.Accept()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { _ = conn.Close() })
	return conn
}

// kindAt returns the type bits of what is at a path.
func kindAt(path string) fs.FileMode {
	GinkgoHelper()
	info, err := os.Lstat(path)
	Expect(err).NotTo(HaveOccurred())
	return info.Mode().Type()
}

// identity returns what the process table has for a PID.
func identity(ctx SpecContext, pid int) process.Identity {
	GinkgoHelper()
	return testproc.Look(ctx, pid).Identity
}

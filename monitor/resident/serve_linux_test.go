package resident_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/internal/varlink"
	"github.com/gemini-monitor/gemini/monitor/resident"
)

const stranger = 65534

// dialAs connects as another user. On Linux a thread can be one by itself (setresuid(2), C
// library/kernel differences). It never runs another goroutine.
func dialAs(user int, path string) (conn *net.UnixConn, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		none := ^uintptr(0)
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, none, uintptr(user), none); errno != 0 {
			err = errno
			return
		}
		conn, err = unixsocket.Dial(context.Background(), path)
	}()
	<-done
	return conn, err
}

var _ = Describe("A resident", Label("linux"), func() {
	It("looks for its socket after nothing else that happens in the store", func() {
		store := newStore()
		Expect(store.Make()).To(Succeed())
		changes := make(chan struct{}, 100)
		end, err := resident.KeepVigil(store.Dir(), func() { changes <- struct{}{} })
		Expect(err).NotTo(HaveOccurred())
		defer end()
		Expect(os.WriteFile(resident.LockPath(store), nil, 0o600)).To(Succeed())
		Eventually(changes).Should(Receive())
		Expect(os.WriteFile(resident.LockPath(store), []byte("card"), 0o600)).To(Succeed())
		Expect(os.WriteFile(resident.LogPath(store), []byte("line"), 0o600)).To(Succeed())
		create(store, "build", self())
		Consistently(changes).ShouldNot(Receive())
	})

	It("refuses another user, whatever the modes of the files", Label("root"), func() {
		if os.Geteuid() != 0 {
			Skip("only a privileged user can be another one")
		}
		store := newStore()
		serve(store)
		path := resident.SocketPath(store)
		for dir := store.Dir(); strings.HasPrefix(dir, os.TempDir()+"/"); dir = filepath.Dir(dir) {
			Expect(os.Chmod(dir, 0o755)).To(Succeed())
		}
		_, err := dialAs(stranger, path)
		Expect(err).To(MatchError(unix.EACCES), "by the mode of the socket")
		Expect(os.Chmod(path, 0o666)).To(Succeed())
		conn, err := dialAs(stranger, path)
		Expect(err).NotTo(HaveOccurred())
		defer conn.Close()
		Expect(varlink.Call(context.Background(), conn, resident.MethodStatus, nil, nil)).To(
			MatchError(And(ContainSubstring(varlink.NotPermitted), ContainSubstring("not user 65534"))))
	})
})

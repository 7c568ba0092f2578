package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/examples/layerfs/mounts"
)

// A stand is a mount point with a service, and directories for layers.
type stand struct {
	dir   string
	mount string
	flags []string // of serve
	asks  bool     // the service asks the resident monitor

	command string // the path of the command
	service *exec.Cmd
	log     lines
	refused bool // this process cannot mount
}

// lines collects what a program writes.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// newStand starts a service. When the spec ends, the mount is removed, whatever has happened.
func newStand(flags ...string) *stand {
	GinkgoHelper()
	needFUSE()
	dir, err := os.MkdirTemp("", "layerfs-")
	Expect(err).NotTo(HaveOccurred())
	dir, err = filepath.EvalSymlinks(dir)
	Expect(err).NotTo(HaveOccurred())
	s := &stand{dir: dir, asks: slices.Contains(flags, "--resident"), mount: filepath.Join(dir, "m"), flags: flags, command: filepath.Join(dir, "layerfs")}
	self, err := os.Executable()
	Expect(err).NotTo(HaveOccurred())
	Expect(os.Symlink(self, s.command)).To(Succeed())
	Expect(os.Mkdir(s.mount, 0o700)).To(Succeed())
	if s.asks {
		needMonitor()
	}
	DeferCleanup(s.remove)
	s.serve()
	return s
}

// needFUSE skips a spec where this process cannot mount.
func needFUSE() {
	GinkgoHelper()
	if runtime.GOOS != "linux" {
		Skip("it takes macFUSE to mount here")
	}
	device, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		Skip(fmt.Sprintf("FUSE is not for this process: %v", err))
	}
	Expect(device.Close()).To(Succeed())
	if os.Geteuid() != 0 {
		if _, err := exec.LookPath("fusermount3"); err != nil {
			Skip("a user without rights mounts with fusermount3, which is not installed")
		}
	}
}

// serve starts the service, and returns when it answers.
func (s *stand) serve() {
	GinkgoHelper()
	s.service = s.cmd(append([]string{"serve", s.mount}, s.flags...)...)
	s.service.Stderr = &s.log
	out, err := s.service.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(s.service.Start()).To(Succeed())
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = s.service.Wait() // its log is whole then
		if refused := s.log.String(); strings.Contains(refused, "operation not permitted") || strings.Contains(refused, "permission denied") {
			s.refused = true
			Skip("the mount is refused: " + refused)
		}
	}
	Expect(err).NotTo(HaveOccurred(), "%s", &s.log)
	Expect(line).To(HavePrefix(s.mount + " is served by process "))
}

// kill kills the service.
func (s *stand) kill() {
	_ = s.service.Process.Kill()
	_ = s.service.Wait()
}

// remove ends all that is there, and fails where anything is left.
func (s *stand) remove() {
	if s.refused {
		Expect(os.RemoveAll(s.dir)).To(Succeed())
		return
	}
	out, err := s.cmd("unmount", s.mount, "--force").CombinedOutput()
	if err != nil && CurrentSpecReport().Failed() {
		AddReportEntry("unmount", string(out)+s.log.String())
	}
	ended := make(chan error, 1)
	go func() { ended <- s.service.Wait() }()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		_ = s.service.Process.Kill()
		<-ended
	}
	found, _ := mounts.At(s.mount)
	for ; found.Kind == mounts.Kind; found, _ = mounts.At(s.mount) {
		if mounts.Detach(s.mount) != nil {
			break
		}
		err = errors.New("the mount was left")
	}
	left, _ := filepath.Glob(filepath.Join(s.dir, "state", "gemini-layerfs", "*", "runtimes", "*"))
	if s.asks {
		s.endResidents()
	}
	Expect(os.RemoveAll(s.dir)).To(Succeed())
	Expect(left).To(BeEmpty(), "runtimes are left: %s\n%s", out, &s.log)
	Expect(err).NotTo(HaveOccurred(), "%s\n%s", out, &s.log)
}

// cmd returns a command of layerfs with the state directory of the stand.
func (s *stand) cmd(args ...string) *exec.Cmd {
	cmd := exec.Command(s.command, args...)
	cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+filepath.Join(s.dir, "state"), "LC_ALL=C")
	if s.asks {
		cmd.Env = append(cmd.Env, "PATH="+filepath.Dir(program)+":"+os.Getenv("PATH"))
	}
	cmd.WaitDelay = time.Second // an orphan may hold the output
	return cmd
}

// layer makes a directory with files: their names and contents.
func (s *stand) layer(name string, files map[string]string) string {
	GinkgoHelper()
	dir := filepath.Join(s.dir, name)
	Expect(os.MkdirAll(dir, 0o755)).To(Succeed())
	for file, text := range files {
		path := filepath.Join(dir, file)
		Expect(os.MkdirAll(filepath.Dir(path), 0o755)).To(Succeed())
		Expect(os.WriteFile(path, []byte(text), 0o644)).To(Succeed())
	}
	return dir
}

// top is where the layers of a tree are.
func (s *stand) top() string {
	for _, flag := range s.flags {
		if flag == "--self" {
			return filepath.Join(s.mount, "self")
		}
	}
	return s.mount
}

// A shell is a shell in a tree of its own, that carries out what it is sent.
type shell struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// shell starts a shell that sees some layers. It stands in the directory that it sees.
func (s *stand) shell(args ...string) *shell {
	GinkgoHelper()
	sh := start(s.cmd(append(append([]string{"run", "--mount", s.mount}, args...), "--", "sh", "-c", `cd "$1" && exec sh`, "sh", s.top())...))
	Expect(sh.do("true")).To(BeEmpty())
	return sh
}

// stranger starts a shell that is in no tree. It stands in the directory of the stand.
func (s *stand) stranger() *shell {
	GinkgoHelper()
	cmd := exec.Command("sh")
	cmd.Dir = s.dir
	return start(cmd)
}

func start(cmd *exec.Cmd) *shell {
	GinkgoHelper()
	sh := &shell{cmd: cmd}
	var err error
	sh.in, err = cmd.StdinPipe()
	Expect(err).NotTo(HaveOccurred())
	out, err := cmd.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	cmd.Stderr = cmd.Stdout
	sh.out = bufio.NewReader(out)
	Expect(cmd.Start()).To(Succeed())
	DeferCleanup(func() {
		_ = sh.in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return sh
}

// do carries out a command, and returns what it has printed and how it ended.
func (sh *shell) do(command string) string {
	GinkgoHelper()
	return sh.await(sh.send(command))
}

// send has the shell carry out a command.
func (sh *shell) send(command string) string {
	GinkgoHelper()
	const mark = "\x01end "
	_, err := fmt.Fprintf(sh.in, "{ %s\n} </dev/null 2>&1\nprintf '\\001end %%d\\n' $?\n", command)
	Expect(err).NotTo(HaveOccurred())
	return mark
}

// await reads up to the end of a command that was sent.
func (sh *shell) await(mark string) string {
	GinkgoHelper()
	var text strings.Builder
	for {
		line, err := sh.out.ReadString('\n')
		Expect(err).NotTo(HaveOccurred(), "the shell has ended; it printed %s", text.String()+line)
		before, status, ends := strings.Cut(line, mark)
		text.WriteString(before)
		if !ends {
			continue
		}
		if status != "0\n" {
			fmt.Fprintf(&text, "exit status %s", status)
		}
		return text.String()
	}
}

// exits has the shell exit, and waits for that.
func (sh *shell) exits() {
	GinkgoHelper()
	Expect(sh.in.Close()).To(Succeed())
	Expect(sh.cmd.Wait()).To(Succeed())
}

// limited is a context that ends before the spec does.
func limited(ctx context.Context, command *exec.Cmd) (string, error) {
	done := context.AfterFunc(ctx, func() { _ = command.Process.Signal(syscall.SIGKILL) })
	defer done()
	out, err := command.CombinedOutput()
	return string(out), err
}

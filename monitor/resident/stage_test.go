//go:build darwin || linux

package resident_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

	"github.com/gemini-monitor/gemini/internal/flock"
	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/internal/varlink"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// newStore returns a store that does not exist yet. What serves it at the end of the spec
// is killed.
func newStore() *monitor.Store {
	GinkgoHelper()
	dir, err := os.MkdirTemp("", "resident")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { // a monitor of a runtime writes the history when the runtime has gone
		Eventually(os.RemoveAll).WithArguments(dir).Should(Succeed())
	})
	s, err := monitor.Open(filepath.Join(dir, "store"))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { endResident(s) })
	return s
}

// endResident ends the resident of a store, and its guard.
func endResident(s *monitor.Store) {
	GinkgoHelper()
	card, err := resident.ReadCard(s)
	if err != nil || card.Process == self() || !lives(card.Process) {
		return
	}
	_ = card.Process.Signal(syscall.SIGCONT)
	var guard process.Process // which may write into the store until it ends
	Eventually(func() bool {
		if now, err := status(s); err == nil && now.Guard != 0 {
			guard, _ = process.Lookup(now.Guard)
		}
		return guard.PID != 0 || !lives(card.Process)
	}).Should(BeTrue())
	defer func() { Eventually(lives).WithArguments(guard.Identity).Should(BeFalse()) }()
	_ = card.Process.Signal(syscall.SIGTERM) // in good order, for the guard
	Eventually(lives).WithArguments(card.Process).Should(BeFalse())
}

func self() process.Identity { return identity(os.Getpid()) }

func identity(pid int) process.Identity {
	GinkgoHelper()
	p, err := process.Lookup(pid)
	Expect(err).NotTo(HaveOccurred())
	return p.Identity
}

func lives(id process.Identity) bool {
	p, err := process.Lookup(id.PID)
	return err == nil && p.Identity == id && p.State != process.Zombie
}

// stops stops a process, and returns when it is stopped: until its first thread has run, the
// others go on.
func stops(id process.Identity) {
	GinkgoHelper()
	Expect(id.Signal(syscall.SIGSTOP)).To(Succeed())
	Eventually(func() (process.Process, error) { return process.Lookup(id.PID) }).Should(HaveField("State", process.Stopped))
}

// A serving is a resident in this process.
type serving struct {
	store *monitor.Store
	log   *gbytes.Buffer
	done  chan error
	stop  context.CancelFunc
}

// serve serves a store in this process, until the end of the spec at the latest.
func serve(s *monitor.Store, choices ...func(*resident.Options)) *serving {
	GinkgoHelper()
	v := begin(s, choices...)
	Eventually(v.log).Should(gbytes.Say("msg=serving"))
	return v
}

func begin(s *monitor.Store, choices ...func(*resident.Options)) *serving {
	v := &serving{store: s, log: gbytes.NewBuffer(), done: make(chan error, 1)}
	log := slog.New(slog.NewTextHandler(io.MultiWriter(v.log, GinkgoWriter), nil))
	o := resident.Options{
		Store: s, Idle: resident.Forever, Version: "v1.2.3", Log: log,
		RuntimeLog: func(r *monitor.Runtime) *slog.Logger { return slog.New(slog.NewTextHandler(r.LogWriter(), nil)) },
	}
	for _, choose := range choices {
		choose(&o)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	v.stop = stop
	go func() {
		defer close(ended)
		v.done <- resident.Serve(ctx, o)
	}()
	DeferCleanup(func() {
		stop()
		Eventually(ended).Should(BeClosed(), "the resident does not end")
	})
	return v
}

// ends stops the resident and returns how it ended.
func (v *serving) ends() error {
	GinkgoHelper()
	v.stop()
	var err error
	Eventually(v.done).Should(Receive(&err))
	return err
}

// idle is a choice of serve.
func idle(d time.Duration) func(*resident.Options) {
	return func(o *resident.Options) { o.Idle = d }
}

// A child is a process of the spec.
type child struct {
	process.Identity
	in  io.WriteCloser
	out *bufio.Reader
	cmd *exec.Cmd
}

// begins starts a process. It ends with the spec at the latest.
func begins(argv []string, stderr io.Writer) *child {
	GinkgoHelper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stderr = stderr
	in, err := cmd.StdinPipe()
	Expect(err).NotTo(HaveOccurred())
	out, err := cmd.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(cmd.Start()).To(Succeed())
	c := &child{identity(cmd.Process.Pid), in, bufio.NewReader(out), cmd}
	DeferCleanup(func() {
		_ = in.Close()
		_ = c.Signal(syscall.SIGCONT)
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	return c
}

// sleeper starts a process that lives until it is killed, or the spec ends.
func sleeper() *child {
	GinkgoHelper()
	return begins([]string{"/bin/cat"}, GinkgoWriter)
}

// ends lets the process end, and reaps it.
func (c *child) ends() error {
	_ = c.in.Close()
	_, _ = io.Copy(io.Discard, c.out)
	return c.cmd.Wait()
}

// kill kills the process and reaps it.
func (c *child) kill() {
	GinkgoHelper()
	Expect(c.Signal(syscall.SIGKILL)).To(Succeed())
	_ = c.cmd.Wait()
}

// foreground starts a resident without a guard, and returns when it answers and has taken over
// what it has found.
func foreground(s *monitor.Store, idle time.Duration, version string) *child {
	GinkgoHelper()
	c := begins(as("foreground", s, idle.String(), version), GinkgoWriter)
	Expect(c.out.ReadString('\n')).To(Equal("ready\n"))
	adopt(s) // else it may take over what it is asked to leave
	return c
}

// asker starts a process that makes requests.
func asker(s *monitor.Store) *child {
	GinkgoHelper()
	return begins(as("asker", s), GinkgoWriter)
}

// asks makes a request from an asker.
func (c *child) asks(method, in string) (o outcome) {
	GinkgoHelper()
	c.sends(call{Method: method, In: json.RawMessage(in)})
	return c.hears()
}

func (c *child) sends(request call) {
	GinkgoHelper()
	Expect(json.NewEncoder(c.in).Encode(request)).To(Succeed())
}

func (c *child) hears() (o outcome) {
	GinkgoHelper()
	line, err := c.out.ReadString('\n')
	Expect(err).NotTo(HaveOccurred())
	Expect(json.Unmarshal([]byte(line), &o)).To(Succeed())
	return o
}

// hangsUp has an asker close the connection of the request that it has sent.
func (c *child) hangsUp() {
	GinkgoHelper()
	_, err := io.WriteString(c.in, "\n")
	Expect(err).NotTo(HaveOccurred())
	Expect(c.hears()).To(Equal(outcome{}))
}

// connect connects to the resident of a store, which has accepted the connection.
func connect(s *monitor.Store) *net.UnixConn {
	GinkgoHelper()
	conn, err := unixsocket.Dial(context.Background(), resident.SocketPath(s))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(conn.Close)
	Expect(varlink.Call(context.Background(), conn, resident.MethodStatus, nil, nil)).To(Succeed())
	return conn
}

// create makes a runtime without a monitor.
func create(s *monitor.Store, name string, owner process.Identity) *monitor.Runtime {
	GinkgoHelper()
	r, err := s.Create(monitor.Creation{Name: name, Owner: owner, Command: []string{"true"}})
	Expect(err).NotTo(HaveOccurred())
	return r
}

// status asks the resident of a store about itself.
func status(s *monitor.Store) (resident.Status, error) {
	ctx, done := context.WithTimeout(context.Background(), 10*time.Second)
	defer done()
	var out resident.Status
	conn, err := unixsocket.Dial(ctx, resident.SocketPath(s))
	if err != nil {
		return out, err
	}
	defer conn.Close()
	return out, varlink.Call(ctx, conn, resident.MethodStatus, nil, &out)
}

// watchedBy matches a runtime that a monitor watches, by its record.
func watchedBy(id process.Identity) OmegaMatcher {
	return And(
		HaveField("State", Equal(monitor.StateRunning)),
		HaveField("Monitor", HaveValue(Equal(id))),
	)
}

// text returns the text of a file, and nothing where it is not there.
func text(path string) string {
	all, _ := os.ReadFile(path)
	return string(all)
}

// running makes a runtime whose monitor has died.
func running(s *monitor.Store, name string, owner process.Identity) *monitor.Runtime {
	GinkgoHelper()
	r := create(s, name, owner)
	record, err := r.Record()
	Expect(err).NotTo(HaveOccurred())
	dead := process.Identity{PID: os.Getppid(), Start: 1, Boot: self().Boot}
	record.State, record.Monitor = monitor.StateRunning, &dead
	line, err := json.Marshal(record)
	Expect(err).NotTo(HaveOccurred())
	Expect(os.WriteFile(filepath.Join(r.Dir(), "runtime.json"), line, 0o600)).To(Succeed())
	return r
}

// adopt has the resident of a store take over what it finds.
func adopt(s *monitor.Store) []resident.Finding {
	GinkgoHelper()
	ctx, done := context.WithTimeout(context.Background(), 30*time.Second)
	defer done()
	conn, err := unixsocket.Dial(ctx, resident.SocketPath(s))
	Expect(err).NotTo(HaveOccurred())
	defer conn.Close()
	var out struct{ Found []resident.Finding }
	Expect(varlink.Call(ctx, conn, resident.MethodAdopt, nil, &out)).To(Succeed())
	return out.Found
}

// names returns the names in a directory.
func names(dir string) (names []string) {
	GinkgoHelper()
	entries, err := os.ReadDir(dir)
	Expect(err).NotTo(HaveOccurred())
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// flocked returns nil where an open file can be locked.
func flocked(file *os.File) error {
	got, err := flock.Try(file, true)
	if err == nil && !got {
		err = errors.New("it is locked")
	}
	return err
}

//go:build darwin || linux

package detach_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/descriptor"
	"github.com/gemini-monitor/gemini/internal/detach"
)

// The test binary is also the processes of package detach: the caller, the first one and
// the second one.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 {
		if play, ok := roles[os.Args[1]]; ok {
			if err := play(os.Args[2]); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

func TestDetach(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Detach")
}

var roles map[string]func(file string) error

func init() { // the roles name each other
	roles = map[string]func(file string) error{"as-job": playJob, "as-first": playFirst, "as-second": playSecond}
}

// seconds is the hard limit of processor time of the job.
const seconds = 3600

// playJob is a process with unusual attributes, which starts the others.
func playJob(file string) error {
	runtime.LockOSThread() // a child has the priority of the thread that forks
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGTSTP, syscall.SIGUSR1)
	unix.Umask(0o777)
	err := unix.Setpriority(unix.PRIO_PROCESS, 0, 7)
	for _, resource := range []int{unix.RLIMIT_FSIZE, unix.RLIMIT_CPU, unix.RLIMIT_CORE} {
		var limit unix.Rlimit
		if failed := unix.Getrlimit(resource, &limit); failed != nil {
			return failed
		}
		limit.Cur = min(1<<20, limit.Max)
		if resource == unix.RLIMIT_CPU {
			limit = unix.Rlimit{Cur: 1800, Max: seconds}
		}
		if failed := unix.Setrlimit(resource, &limit); failed != nil {
			return failed
		}
	}
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return detach.Start(ctx, []string{self, "as-first", file}, os.Stderr, nil)
}

func playFirst(file string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return detach.Launch([]string{self, "as-second", file})
}

// A state is what the second process has.
type state struct {
	Environment   []string
	Descriptors   []int // from 3 up, without close-on-exec
	Umask         int
	Nice          int
	Ignored       []int
	Limits        [3]unix.Rlimit // of file sizes, processor time and core files
	Directory     string
	LeadsASession bool
}

// playSecond writes its state to a file, and ends.
func playSecond(file string) error {
	caller, err := detach.Arrive()
	if err != nil {
		return err
	}
	s := state{Environment: os.Environ()}
	for number := 1; number < 32; number++ {
		if signal.Ignored(syscall.Signal(number)) {
			s.Ignored = append(s.Ignored, number)
		}
	}
	if err = detach.Settle(); err == nil {
		err = s.complete()
	}
	var text []byte
	if err == nil {
		text, err = json.Marshal(s)
	}
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		caller.Refuse(err)
		return err
	}
	return caller.Ready()
}

func (s *state) complete() (err error) {
	s.Descriptors, err = descriptor.Inherited()
	s.Umask = unix.Umask(0o077)
	for i, resource := range []int{unix.RLIMIT_FSIZE, unix.RLIMIT_CPU, unix.RLIMIT_CORE} {
		_ = unix.Getrlimit(resource, &s.Limits[i])
	}
	s.Nice, _ = unix.Getpriority(unix.PRIO_PROCESS, 0)
	if nice := 20 - s.Nice; kernelCountsDown {
		s.Nice = nice
	}
	s.Directory, _ = os.Getwd()
	session, _ := unix.Getsid(0)
	s.LeadsASession = session == os.Getpid()
	return err
}

var _ = Describe("A detached process", func() {
	It("has nothing of the job that started it", func() {
		self, err := os.Executable()
		Expect(err).NotTo(HaveOccurred())
		file := filepath.Join(GinkgoT().TempDir(), "state")
		cmd := exec.Command(self, "as-job", file)
		cmd.Env = append(os.Environ(), "GOGC=off", "BUILD_COOKIE=42", "SECRET=hunter2")
		read, write, err := os.Pipe()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(read.Close)
		cmd.ExtraFiles = []*os.File{write, write, write, write}
		said, err := cmd.CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(said))
		Expect(write.Close()).To(Succeed())

		text, err := os.ReadFile(file)
		Expect(err).NotTo(HaveOccurred())
		var s state
		Expect(json.Unmarshal(text, &s)).To(Succeed())
		Expect(s.Environment).To(Or(BeEmpty(), HaveEach(HavePrefix("GORACE="))), "of the race detector alone")
		Expect(s.Descriptors).To(BeEmpty())
		Expect(s.Umask).To(Equal(0o077))
		Expect(s.Ignored).To(BeEmpty())
		Expect(s.Directory).To(Equal("/"))
		Expect(s.LeadsASession).To(BeTrue())
		for i, resource := range []int{unix.RLIMIT_FSIZE, unix.RLIMIT_CPU, unix.RLIMIT_CORE} {
			var here unix.Rlimit
			Expect(unix.Getrlimit(resource, &here)).To(Succeed())
			wanted := unix.Rlimit{Cur: here.Max, Max: here.Max}
			switch resource {
			case unix.RLIMIT_CORE:
				wanted.Cur = 0
			case unix.RLIMIT_CPU: // a second is left to end in
				wanted = unix.Rlimit{Cur: seconds - 1, Max: seconds}
			}
			Expect(s.Limits[i]).To(Equal(wanted), "resource %d", resource)
		}
		if os.Geteuid() == 0 {
			Expect(s.Nice).To(BeZero())
		} else {
			Expect(s.Nice).To(Equal(7), "only a privileged process gets its priority back")
		}
	})
})

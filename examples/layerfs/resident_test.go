package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// program is the path of the program monitor, which starts a resident monitor: what
// HARNESS_PROGRAMS has, or what is built for all processes of the suite. It is empty where
// there is neither.
var program string

var _ = SynchronizedBeforeSuite(func() []byte {
	if dir := os.Getenv("HARNESS_PROGRAMS"); dir != "" {
		return []byte(filepath.Join(dir, "monitor"))
	}
	const sources = "../../cmd/monitor"
	_, noGo := exec.LookPath("go")
	if _, err := os.Stat(sources); err != nil || noGo != nil {
		return nil
	}
	dir, err := os.MkdirTemp("", "programs")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, dir)
	said, err := exec.Command("go", "build", "-C", "../..", "-o", dir, "./cmd/monitor").CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(said))
	return []byte(filepath.Join(dir, "monitor"))
}, func(path []byte) { program = string(path) })

// needMonitor skips a spec where there is no program monitor.
func needMonitor() {
	GinkgoHelper()
	if program == "" {
		Skip("the program monitor is not here, and cannot be built: no go, or the sources are elsewhere")
	}
}

// store returns the store of the stand.
func (s *stand) store() *monitor.Store {
	GinkgoHelper()
	store, err := monitor.Open(filepath.Join(s.dir, "state", "gemini-layerfs", url.PathEscape(s.mount)))
	Expect(err).NotTo(HaveOccurred())
	return store
}

// monitor returns a command of monitor about the store of the stand.
func (s *stand) monitor(args ...string) *exec.Cmd {
	GinkgoHelper()
	cmd := s.cmd()
	cmd.Path, cmd.Args = program, append([]string{"monitor", "--store", s.store().Dir()}, args...)
	return cmd
}

// resident returns the resident monitor, and its guard. They are zero where none answers.
func (s *stand) resident(ctx context.Context) (self, guard process.Identity) {
	GinkgoHelper()
	store := s.store()
	Eventually(func() error {
		status, _, err := resident.Ask(ctx, store)
		if card, failed := resident.ReadCard(store); failed != nil || err != nil && !lives(card.Process) {
			return nil
		}
		if err != nil {
			return err
		}
		row, err := process.Lookup(status.Guard) // which it may be about to start
		self, guard = status.Process, row.Identity
		return err
	}).Should(Succeed())
	return self, guard
}

func lives(id process.Identity) bool {
	row, err := process.Lookup(id.PID)
	return err == nil && row.Identity == id && row.State != process.Zombie
}

// stop stops a process. A signal stops its threads one after the other (signal(7)).
func stop(id process.Identity) {
	GinkgoHelper()
	Expect(id.Signal(syscall.SIGSTOP)).To(Succeed())
	Eventually(func() (states string) {
		lines, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", id.PID))
		for _, line := range lines {
			text, _ := os.ReadFile(line)
			_, after, _ := strings.Cut(string(text), ") ")
			states += after[:min(1, len(after))]
		}
		return states
	}).Should(MatchRegexp("^T+$"))
}

// killPair kills the resident monitor and its guard, so that neither starts another one: the
// guard is stopped first.
func (s *stand) killPair(ctx context.Context) process.Identity {
	GinkgoHelper()
	by, guard := s.resident(ctx)
	stop(guard)
	for _, id := range []process.Identity{by, guard} {
		Expect(id.Signal(syscall.SIGKILL)).To(Succeed())
		Eventually(lives).WithArguments(id).Should(BeFalse())
	}
	return by
}

// endResidents ends the resident monitors below the directory of the stand, in good order, so
// that nothing is written there any more. One that was killed may have two that follow: of its
// guard, and of the service.
func (s *stand) endResidents() {
	GinkgoHelper()
	Eventually(func() (left []string) {
		lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, line := range lines {
			text, _ := os.ReadFile(line)
			words := strings.Split(string(text), "\x00")
			if len(words) < 3 || words[1] != "--store" || !strings.HasPrefix(words[2], s.dir+"/") {
				continue
			}
			left = append(left, strings.Join(words, " "))
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(line)))
			if err == nil && !slices.Contains(words, "--guard") { // which ends with the resident
				_ = syscall.Kill(pid, syscall.SIGTERM)
			}
		}
		return left
	}).Should(BeEmpty())
}

// rightOrEIO matches lines that are all one text, or EIO.
func rightOrEIO(text string) OmegaMatcher {
	return MatchRegexp(`^(` + text + `|[^\n]*Input/output error\n|exit status \d+\n)*$`)
}

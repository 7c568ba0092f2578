//go:build darwin || linux

package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// program is the command line of monitor: what HARNESS_PROGRAMS has, by HARNESS_EXEC, as for
// the scenarios, or what is built for all processes of the suite.
var program []string

var _ = SynchronizedBeforeSuite(func() []byte {
	dir := os.Getenv("HARNESS_PROGRAMS")
	if dir == "" {
		var err error
		dir, err = os.MkdirTemp("", "programs")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(os.RemoveAll, dir)
		said, err := exec.Command("go", "build", "-C", "../..", "-o", dir, "./cmd/monitor").CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(said))
	}
	return []byte(filepath.Join(dir, "monitor"))
}, func(path []byte) {
	program = append(strings.Fields(os.Getenv("HARNESS_EXEC")), string(path))
})

// A place is a store with the environment that its commands have.
type place struct {
	store *monitor.Store
	env   []string
}

func newPlace() place {
	GinkgoHelper()
	self, err := os.Executable()
	Expect(err).NotTo(HaveOccurred())
	dir := GinkgoT().TempDir()
	script := "#!/bin/sh\nGORACE=atexit_sleep_ms=0 exec " + os.Getenv("HARNESS_EXEC") + " '" + self + "' " + asProgram + " \"$@\"\n"
	Expect(os.WriteFile(filepath.Join(dir, "monitor-metrics"), []byte(script), 0o755)).To(Succeed())
	s := newStore()
	return place{s, []string{"PATH=" + dir + ":/usr/bin:/bin", monitor.EnvStore + "=" + s.Dir()}}
}

// monitor returns a command. It is killed at the end of the spec, if it runs.
func (p place) monitor(args ...string) *exec.Cmd {
	cmd := exec.Command(program[0], append(program[1:len(program):len(program)], args...)...)
	cmd.Env = p.env
	cmd.WaitDelay = time.Minute // what it has started may have the pipe of its log
	return cmd
}

// A service is "monitor serve" with its log.
type service struct {
	*exec.Cmd
	log *gbytes.Buffer
}

// serve starts the resident monitor, which is killed at the end of the spec if it runs.
func (p place) serve(args ...string) service {
	GinkgoHelper()
	s := service{p.monitor(append([]string{"serve"}, args...)...), gbytes.NewBuffer()}
	s.Stderr = s.log
	Expect(s.Start()).To(Succeed())
	DeferCleanup(func() { _ = s.Process.Kill() })
	Eventually(s.log).Should(gbytes.Say("msg=serving store"))
	return s
}

// metrics returns where the metrics are served, and by which process.
func (s service) metrics() (url string, by process.Identity) {
	GinkgoHelper()
	var words []string
	Eventually(func() []string {
		words = regexp.MustCompile(`msg="serving metrics" address=(http://127\.0\.0\.1:\d+/metrics) process=(\d+)\n`).FindStringSubmatch(string(s.log.Contents()))
		return words
	}).Should(HaveLen(3))
	pid, err := strconv.Atoi(words[2])
	Expect(err).NotTo(HaveOccurred())
	row, err := process.Lookup(pid)
	Expect(err).NotTo(HaveOccurred())
	return words[1], row.Identity
}

// start starts a shell in a runtime and returns what it reads a line from.
func (p place) start(name, script string, args ...string) (gate io.WriteCloser) {
	GinkgoHelper()
	cmd := p.monitor(append([]string{"run", "--name", name, "--", "sh", "-c", script, "sh"}, args...)...)
	gate, err := cmd.StdinPipe()
	Expect(err).NotTo(HaveOccurred())
	cmd.Stderr = GinkgoWriter
	Expect(cmd.Start()).To(Succeed())
	DeferCleanup(func() {
		_ = gate.Close()
		_ = cmd.Wait()
	})
	return gate
}

func get(url string) (string, error) {
	answer, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return string(text), err
}

func lives(id process.Identity) bool {
	row, err := process.Lookup(id.PID)
	return err == nil && row.Identity == id && row.State != process.Zombie
}

// has matches a text that has each metric with a value, such as "up 1".
func has(metrics ...string) OmegaMatcher {
	var all []OmegaMatcher
	for _, m := range metrics {
		all = append(all, ContainSubstring("\nmonitor_"+m+"\n"))
	}
	return And(all...)
}

var _ = Describe("monitor serve with metrics", func() {
	var p place

	BeforeEach(func() { p = newPlace() })

	It("shows what runs, what has gone, and how long that took", func() {
		url, _ := p.serve("--metrics", "0").metrics()
		gates := make(map[string]io.Closer)
		for i := range 3 {
			name := fmt.Sprint("build-", i)
			gates[name] = p.start(name, "read -r line")
		}
		Eventually(get).WithArguments(url).Should(has(
			`runtimes{state="running"} 3`, `runtimes{state="starting"} 0`, "members 3", "resident_up 1", "resident_runtimes 3",
			"members_joined_total 3", "members_left_total 0", "exit_to_gone_seconds_count 0",
		))
		Expect(get(url)).To(And(
			MatchRegexp(`\nmonitor_resident_info\{forks="\w+",mechanism="[\w ]+",version="[^"]+"\} 1\n`),
			MatchRegexp(`\nmonitor_table_reads_total [1-9]`),
			MatchRegexp(`\nmonitor_table_read_seconds_total [0-9.e-]*[1-9]`),
		))
		Expect(gates["build-1"].Close()).To(Succeed())
		Eventually(get).WithArguments(url).Should(has(
			`runtimes{state="running"} 2`, "members 2", "resident_runtimes 2", "members_joined_total 3", "members_left_total 1",
			"exit_to_gone_seconds_count 1", `exit_to_gone_seconds_bucket{le="+Inf"} 1`,
		))
		Expect(p.store.Names()).To(ConsistOf("build-0", "build-2"))
	})

	It("ends the program when it is killed", func() {
		s := p.serve("--metrics", "0")
		url, by := s.metrics()
		Expect(get(url)).To(has("resident_up 1"))
		Expect(s.Process.Kill()).To(Succeed())
		Eventually(lives).WithArguments(by).Should(BeFalse())
		_, err := get(url)
		Expect(err).To(MatchError(syscall.ECONNREFUSED))
	})

	It("has freed the address when it has ended", func() {
		s := p.serve("--metrics", "0")
		url, by := s.metrics()
		Expect(s.Process.Signal(syscall.SIGTERM)).To(Succeed())
		Expect(s.Wait()).To(Succeed())
		Expect(lives(by)).To(BeFalse())
		address := strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/metrics")
		again := p.serve("--metrics", address)
		second, _ := again.metrics()
		Expect(second).To(Equal(url))
	})

	It("watches nothing where the address is in use", func() {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		Expect(err).NotTo(HaveOccurred())
		defer l.Close()
		_, port, err := net.SplitHostPort(l.Addr().String())
		Expect(err).NotTo(HaveOccurred())
		s := p.monitor("serve", "--metrics", port)
		said, err := s.CombinedOutput()
		Expect(err).To(HaveOccurred())
		Expect(s.ProcessState.ExitCode()).To(Equal(1))
		Expect(string(said)).To(Equal("monitor: serve metrics: listen tcp " + l.Addr().String() + ": bind: address already in use\n"))
		Expect(p.store.Dir()).NotTo(BeAnExistingFile())
	})

	It("does not keep the runtime that it was a member of before it became the monitor", func() {
		first := p.serve()
		dir := GinkgoT().TempDir()
		gate := filepath.Join(dir, "gate")
		Expect(syscall.Mkfifo(gate, 0o600)).To(Succeed())
		log := filepath.Join(dir, "log")
		owner := p.start("web", `gate=$1; log=$2; shift 2; (read -r line <"$gate"; exec "$@" serve --metrics 0 2>"$log") & read -r line`,
			append([]string{gate, log}, program...)...)
		members := func() (int, error) {
			survey, err := p.store.Survey()
			if err != nil {
				return 0, err
			}
			all, err := survey.All()
			if err != nil || len(all) != 1 {
				return 0, err
			}
			return len(all[0].Members), nil
		}
		Eventually(members).Should(Equal(2))
		Expect(first.Process.Kill()).To(Succeed())
		_ = first.Wait()

		Expect(os.WriteFile(gate, []byte("\n"), 0)).To(Succeed())
		said := func() (string, error) {
			text, err := os.ReadFile(log)
			return string(text), err
		}
		Eventually(said).Should(And(ContainSubstring("serving metrics"), ContainSubstring("took over a runtime")))
		second, err := resident.ReadCard(p.store)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { _ = second.Process.Signal(syscall.SIGKILL) })
		Expect(owner.Close()).To(Succeed())
		Eventually(p.store.Names).Should(BeEmpty())
		Expect(lives(second.Process)).To(BeTrue())
		Expect(said()).NotTo(ContainSubstring("metrics are not served any more"))
	})
})

var _ = Describe("The program by itself", func() {
	It("logs the address of a free port, serves there, and ends at a signal with 0", func() {
		self, err := os.Executable()
		Expect(err).NotTo(HaveOccurred())
		cmd, log := exec.Command(self, asProgram, "-store", newStore().Dir(), "-log-format", "json"), gbytes.NewBuffer()
		cmd.Stderr = log // and no standard input, whose end does not matter
		Expect(cmd.Start()).To(Succeed())
		DeferCleanup(func() { _ = cmd.Process.Kill() })
		Eventually(log).Should(gbytes.Say(`"address":"http://127\.0\.0\.1:\d+/metrics"}\n`))
		Expect(get(regexp.MustCompile(`http://[^"]+`).FindString(string(log.Contents())))).To(has("resident_up 0"))
		Expect(cmd.Process.Signal(syscall.SIGTERM)).To(Succeed())
		Expect(cmd.Wait()).To(Succeed())
	})
})

var _ = DescribeTable("The program refuses in one line", func(code int, line string, args ...string) {
	self, err := os.Executable()
	Expect(err).NotTo(HaveOccurred())
	cmd := exec.Command(self, append([]string{asProgram}, args...)...)
	cmd.Env = []string{"HOME=" + GinkgoT().TempDir()}
	said, err := cmd.CombinedOutput()
	Expect(err).To(HaveOccurred())
	Expect(cmd.ProcessState.ExitCode()).To(Equal(code))
	Expect(string(said)).To(MatchRegexp(line))
	Expect(strings.Count(string(said), "\n")).To(Equal(1))
},
	Entry("a flag that is none", 2, "^monitor-metrics: wrong usage: flag provided but not defined: -bogus\n$", "-bogus"),
	Entry("an argument", 2, `^monitor-metrics: wrong usage: there is no argument "a"`, "a"),
	Entry("an address that is none", 2, "^monitor-metrics: wrong usage: -listen takes PORT or :PORT, ", "-listen", "localhost"),
	Entry("a level that is none", 2, `^monitor-metrics: wrong usage: -log-level takes .*, not "loud"`, "-log-level", "loud"),
	Entry("a format that is none", 2, `^monitor-metrics: wrong usage: -log-format takes .*, not "xml"`, "-log-format", "xml"),
	Entry("an address that this machine does not have", 1, "^monitor-metrics: listen tcp 192.0.2.1:9100: bind: ", "-listen", "192.0.2.1:9100"),
	Entry("a store that is none, to its parent", 1, "^error open store /dev/null/store: not a directory", "-child", "-store", "/dev/null/store"),
)

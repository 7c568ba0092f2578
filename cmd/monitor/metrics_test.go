//go:build darwin || linux

package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// stand puts a script into PATH that stands for the program monitor-metrics. It returns its
// path.
func stand(script string) string {
	GinkgoHelper()
	dir := GinkgoT().TempDir()
	path := filepath.Join(dir, metricsProgram)
	Expect(os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755)).To(Succeed())
	GinkgoT().Setenv("PATH", dir+":/usr/bin:/bin")
	return path
}

// serving starts serve with metrics as a process of its own, and returns it with the
// process of the program when both serve. Files go with it from descriptor 3 on.
func serving(files ...*os.File) (serve *exec.Cmd, program process.Identity, log *gbytes.Buffer) {
	GinkgoHelper()
	serve, log = command("serve", "--metrics", ":9"), gbytes.NewBuffer()
	serve.Stderr, serve.ExtraFiles = log, files
	serve.WaitDelay = time.Minute // the program may have the pipe of its log
	Expect(serve.Start()).To(Succeed())
	DeferCleanup(func() { _ = serve.Process.Kill() })
	Eventually(log).Should(gbytes.Say(`msg="serving metrics" address=http://there process=\d+\n`))
	text := string(log.Contents())
	pid, err := strconv.Atoi(strings.TrimSpace(text[strings.LastIndex(text[:strings.Index(text, "\n")], "=")+1 : strings.Index(text, "\n")]))
	Expect(err).NotTo(HaveOccurred())
	row, err := process.Lookup(pid)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { _ = row.Identity.Signal(syscall.SIGKILL) })
	Eventually(log).Should(gbytes.Say("msg=serving store"))
	return serve, row.Identity, log
}

// lockable reports whether no process has a lock on a file.
func lockable(path string) bool {
	GinkgoHelper()
	file, err := os.Open(path)
	Expect(err).NotTo(HaveOccurred())
	defer file.Close()
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

var _ = Describe("The command serve with metrics", func() {
	BeforeEach(withResident)

	It("starts the program for this store, in a session of its own, and ends it with itself", func() {
		path := stand(`echo "$@" >"$0.args"; pwd >"$0.dir"; echo ready http://there; cat >/dev/null; echo >"$0.ended"`)
		serve, program, _ := serving()
		row, err := process.Lookup(program.PID)
		Expect(err).NotTo(HaveOccurred())
		Expect(row).To(And(HaveField("Parent", serve.Process.Pid), HaveField("Session", program.PID), HaveField("Group", program.PID)))
		Expect(os.ReadFile(path + ".args")).To(BeEquivalentTo(
			"-child -store " + storeDir + " -listen 127.0.0.1:9 -log-level info -log-format text\n"))
		Expect(os.ReadFile(path + ".dir")).To(BeEquivalentTo("/\n"))
		Expect(serve.Process.Signal(syscall.SIGTERM)).To(Succeed())
		Expect(serve.Wait()).To(Succeed())
		Expect(path+".ended").To(BeAnExistingFile(), "serve has waited for it")
		Expect(lives(program)).To(BeFalse())
	})

	It("is seen by the program when it is killed", func() {
		stand(`echo ready http://there; exec cat`)
		serve, program, _ := serving()
		Expect(serve.Process.Kill()).To(Succeed())
		_ = serve.Wait()
		Eventually(lives).WithArguments(program).Should(BeFalse())
	})

	It("gives the program no lease, and no lock of the store", func() {
		stand(`echo ready http://there; exec sleep 600`)
		path := filepath.Join(GinkgoT().TempDir(), "lease")
		lease, err := os.Create(path)
		Expect(err).NotTo(HaveOccurred())
		Expect(syscall.Flock(int(lease.Fd()), syscall.LOCK_EX)).To(Succeed())
		serve, program, _ := serving(lease)
		Expect(lease.Close()).To(Succeed())
		Expect(lockable(path)).To(BeTrue())
		lock := filepath.Join(storeDir, "resident.lock")
		Expect(lockable(lock)).To(BeFalse())
		Expect(serve.Process.Kill()).To(Succeed())
		_, _ = serve.Process.Wait()
		Expect(lives(program)).To(BeTrue())
		Eventually(lockable).WithArguments(lock).Should(BeTrue())
	})

	It("watches on when the program ends, and says so", func() {
		stand(`echo ready http://there; exec cat`)
		serve, program, log := serving()
		r := orphan("web")
		Expect(program.Signal(syscall.SIGKILL)).To(Succeed())
		Eventually(log).Should(gbytes.Say(`level=ERROR msg="metrics are not served any more: the program ended" how="signal: killed"`))
		Expect(call("prune")).To(Equal(outcome{Stdout: "web: taken over\n"}))
		Expect(r.Record()).To(watchedBy(card().Process))
		Expect(card().Process.PID).To(Equal(serve.Process.Pid))
	})

	It("kills a program that stays, after a while", func() {
		DeferCleanup(func(d time.Duration) { metricsEnd = d }, metricsEnd)
		metricsEnd = time.Millisecond
		m, err := startMetrics(context.Background(), stand("echo ready http://there; exec sleep 600"))
		Expect(err).NotTo(HaveOccurred())
		Expect(lives(m.self)).To(BeTrue())
		go m.watch(slog.New(slog.DiscardHandler))
		m.stop()
		Expect(lives(m.self)).To(BeFalse())
	})

	DescribeTable("watches nothing where the program does not serve", func(script, line string) {
		path := stand(script)
		DeferCleanup(func(d time.Duration) { metricsAnswer = d }, metricsAnswer)
		if strings.Contains(line, "in time") {
			metricsAnswer = time.Millisecond
		}
		Expect(call("serve", "--metrics", "0")).To(fails(1, fmt.Sprintf(line, path)))
		Expect(storeDir).NotTo(BeAnExistingFile())
	},
		Entry("it refuses", "echo error port 0 is mine; cat >/dev/null", "^serve metrics: port 0 is mine$%.0s"),
		Entry("it ends", "exit 3", "^serve metrics: %s ended without an answer: exit status 3$"),
		Entry("it ends in the middle of a line", "printf ready; exit 4", "^serve metrics: %s ended without an answer: exit status 4$"),
		Entry("it says what is no answer", "echo hello; cat >/dev/null", `^serve metrics: %s gave an answer that is none: "hello\\n"$`),
		Entry("it says nothing", "exec cat", "^serve metrics: %s did not answer in time$"),
	)

	It("watches nothing where there is no such program", func() {
		self, err := os.Executable()
		Expect(err).NotTo(HaveOccurred())
		Expect(call("serve", "--metrics", "0")).To(fails(1,
			"^--metrics needs the program monitor-metrics, which is neither in "+filepath.Dir(self)+" nor in PATH$"))
		Expect(os.Chmod(stand(""), 0o644)).To(Succeed())
		Expect(call("serve", "--metrics", "0")).To(fails(1,
			"^--metrics needs the program monitor-metrics: cannot be executed: permission denied$"))
		Expect(storeDir).NotTo(BeAnExistingFile())
	})

	It("ends at a signal before the program has answered", func() {
		path := stand(`echo >"$0.began"; exec cat`)
		cmd := command("serve", "--metrics", "0")
		Expect(cmd.Start()).To(Succeed())
		Eventually(path + ".began").Should(BeAnExistingFile())
		Expect(cmd.Process.Signal(syscall.SIGTERM)).To(Succeed())
		Expect(cmd.Wait()).To(Succeed())
		_, err := resident.ReadCard(store())
		Expect(err).To(MatchError(os.ErrNotExist))
	})

	DescribeTable("is refused", func(line string, args ...string) {
		Expect(call(append([]string{"serve", "--metrics"}, args...)...)).To(fails(2, line))
		Expect(storeDir).NotTo(BeAnExistingFile())
	},
		Entry("without an address", `^--metrics takes PORT or :PORT, which are on 127\.0\.0\.1, or HOST:PORT, not ""$`, ""),
		Entry("with an address that is none", `^--metrics takes PORT or :PORT, .* not "localhost"$`, "localhost"),
		Entry("for one runtime", "^--metrics is about all runtimes of the store, and takes no name$", "0", "build"),
		Entry("detached", "^--metrics is for a monitor in the foreground$", "0", "--detach"),
		Entry("as the detached one", "^--metrics is for a monitor in the foreground$", "0", "--detached"),
	)
})

var _ = Describe("The program for metrics", func() {
	var beside, other string
	program := func(dir string) string {
		path := filepath.Join(dir, metricsProgram)
		Expect(os.WriteFile(path, nil, 0o755)).To(Succeed())
		return path
	}

	BeforeEach(func() {
		beside, other = GinkgoT().TempDir(), GinkgoT().TempDir()
		GinkgoT().Setenv("PATH", other)
	})

	It("is the one beside monitor, before one in PATH", func() {
		program(other)
		path := program(beside)
		Expect(findMetrics(beside)).To(Equal(path))
	})

	It("is one in PATH where there is none beside, also where that is a relative directory", func() {
		path := program(other)
		Expect(findMetrics(beside)).To(Equal(path))
		GinkgoT().Chdir(filepath.Dir(other))
		GinkgoT().Setenv("PATH", filepath.Base(other))
		found, err := findMetrics(beside)
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(And(HaveSuffix(filepath.Base(other)+"/"+metricsProgram), HavePrefix("/")))
	})
})

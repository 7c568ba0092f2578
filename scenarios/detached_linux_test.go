package scenarios_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("A monitor that run starts", Label("linux"), ours, func() {
	DescribeTable("is the same whatever job it comes from", func(ctx SpecContext, prepare func()) {
		prepare()
		stage.Start(monitor.Run("plain", "puppet", "plain")...)
		stage.Puppet("plain")
		plainMonitor := monitorOf(ctx, "plain")
		plain := traits(plainMonitor)
		Expect(plain["environment"]).To(BeEmpty())
		Expect(plain["Umask"]).To(Equal("0077"))
		Expect(plain["Max core file size"]).To(HavePrefix("0 "))
		Expect(plain["terminal"]).To(Equal("0"))

		stage.Setenv("MONITOR_STORE", stage.Path("other")) // has a resident monitor of its own
		stage.Setenv("GOGC", "off")
		stage.Setenv("GODEBUG", "gctrace=1")
		stage.Setenv("BUILD_COOKIE", "42")
		stage.Setenv("SECRET", "hunter2")
		job := stage.Start(hostile(monitor.Run("hostile", "puppet", "hostile")...)...)
		stage.Puppet("hostile")
		Expect(traits(job.PID())).NotTo(HaveKeyWithValue("Umask", "0077"))
		hostileMonitor := monitorOf(ctx, "hostile")
		// A resident monitor has the connection of run for a moment longer than run.
		Eventually(ctx, func(g Gomega) {
			hostile := traits(hostileMonitor)
			hostile["descriptors"] = strings.ReplaceAll(hostile["descriptors"], "/other/", "/store/")
			g.Expect(hostile).To(Equal(traits(plainMonitor)))
		}).Should(Succeed())
	},
		Entry("for all runtimes of the store", func() {}, limit),
		Entry("for one runtime", alone, limit),
	)

	It("has no descriptor of the job where /dev/fd does not exist", Label("namespaces"), func(ctx SpecContext) {
		namespace(ctx)
		needs(harness.Bash)
		// The only other file in /dev is what the programs open.
		bare := `mkdir dev && touch dev/null && mount --bind /dev/null dev/null && mount --rbind dev /dev && ! test -e /dev/fd && exec "$@"`
		job := stage.Start(append([]string{"unshare", "--mount", "bash", "-c", bare, "bash"}, monitor.Run("bare", "puppet", "owner")...)...)
		owner := stage.Puppet("owner")
		owner.CloseDescriptor(3)
		Eventually(ctx, job.Oracle().Gone()).Should(BeClosed(), "the monitor holds the command's descriptor 3")
		Expect(listed(ctx, "bare")).To(BeTrue(), "the spec proves nothing: the monitor has ended")
	}, limit)
})

// hostile returns a command line that gives a command what a monitor must not take
// over: limits, scheduling, signals, umask, descriptors.
func hostile(argv ...string) []string {
	chain := [][]string{
		{"env", "--block-signal=USR1,USR2,TERM,CHLD", "--ignore-signal=HUP,INT,QUIT,TSTP,TTOU"},
		{"prlimit", "--as=40000000000:", "--cpu=1000:", "--fsize=1000000:", "--nofile=100:", "--core=unlimited:", "--stack=4000000:"},
		{"ionice", "-c", "3"}, {"taskset", "1"}, {"choom", "-n", "500", "--"}, {"setarch", "-R"},
		{"bash", "-c", `umask 0027; exec 5</etc/passwd 90</etc/group; exec "$@"`, "bash"},
	}
	if os.Geteuid() == 0 { // others do not get their priority back, and cannot read their own files
		chain = append([][]string{{"nice", "-n", "19"}, {"chrt", "--idle", "0"}}, chain...)
		chain = append(chain, []string{"bash", "-c", `umask 0777; exec "$@"`, "bash"})
	}
	var words []string
	for _, link := range chain {
		if _, err := exec.LookPath(link[0]); err != nil {
			Skip(link[0] + " is not installed")
		}
		words = append(words, link...)
	}
	if exec.Command(words[0], append(words[1:], "true")...).Run() != nil {
		Skip("no such job can be made here")
	}
	return append(words, argv...)
}

// traits returns what a process has of the attributes that fork and exec keep, and its
// descriptors (credentials(7), execve(2), proc(5)).
func traits(pid int) map[string]string {
	GinkgoHelper()
	read := func(file string) string {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
		Expect(err).NotTo(HaveOccurred())
		return strings.TrimSpace(string(text))
	}
	found := map[string]string{
		"environment": read("environ"),
		"personality": read("personality"),
		"OOM score":   read("oom_score_adj"),
		"descriptors": strings.Join(descriptors(pid), "\n"),
	}
	if os.Geteuid() == 0 { // it takes CAP_SYS_NICE
		found["timer slack"] = read("timerslack_ns")
	}
	for line := range strings.Lines(read("limits")) {
		if columns := regexp.MustCompile(` {2,}`).Split(strings.TrimSpace(line), 3); len(columns) == 3 {
			found[columns[0]] = columns[1] + " " + columns[2]
		}
	}
	for line := range strings.Lines(read("status")) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
		if regexp.MustCompile(`^(Umask|SigIgn|SigCgt|ShdPnd|Cap.*|NoNewPrivs|Seccomp.*|Specul.*|Cpus_.*|Mems_.*|THP_enabled|Groups|[UG]id)$`).MatchString(name) {
			found[name] = value
		}
	}
	fields := strings.Fields(read("stat")[strings.LastIndex(read("stat"), ")")+2:])
	found["terminal"], found["priority"], found["nice"], found["policy"] = fields[4], fields[15], fields[16], fields[38]
	found["session"] = strconv.FormatBool(fields[3] == strconv.Itoa(pid))
	found["blocked"] = fmt.Sprintf("%x", blocked(pid))
	io, _, number := unix.Syscall(unix.SYS_IOPRIO_GET, 1, uintptr(pid), 0)
	Expect(number).To(BeZero())
	found["input and output"] = strconv.Itoa(int(io))
	found["directory"], _ = os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	return found
}

// blocked returns the signals that all threads of a process block. Go delivers some to a
// thread of its own.
func blocked(pid int) uint64 {
	GinkgoHelper()
	all := ^uint64(0)
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	Expect(err).NotTo(HaveOccurred())
	for _, file := range threads {
		text, _ := os.ReadFile(file) // a thread may have ended
		if mask := regexp.MustCompile(`SigBlk:\s+(\w+)`).FindSubmatch(text); mask != nil {
			value, err := strconv.ParseUint(string(mask[1]), 16, 64)
			Expect(err).NotTo(HaveOccurred())
			all &= value
		}
	}
	return all
}

// descriptors returns the files that a process has open, in order, without what differs
// between runtimes and without numbers.
func descriptors(pid int) (files []string) {
	GinkgoHelper()
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	Expect(err).NotTo(HaveOccurred())
	for _, link := range links {
		file, err := os.Readlink(link)
		if err != nil {
			continue // it was open for a moment
		}
		file = regexp.MustCompile(`.*/runtimes/[^/]+/`).ReplaceAllString(file, "runtime/")
		file = regexp.MustCompile(`.*/runtimes/[^/]+$`).ReplaceAllString(file, "runtime")
		files = append(files, regexp.MustCompile(`\d+`).ReplaceAllString(file, "N"))
	}
	slices.Sort(files)
	return slices.DeleteFunc(files, func(file string) bool {
		swept := strings.HasSuffix(file, "/trash") || strings.HasSuffix(file, "/runtimes") // open for a moment
		return swept || strings.HasPrefix(file, "/proc") || strings.HasPrefix(file, "anon_inode:[pidfd")
	})
}

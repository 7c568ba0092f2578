package checkup

import (
	"os"
	"os/exec"
	"testing/fstest"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("On Linux", Label("linux"), func() {
	DescribeTable("the cgroups that may limit a process are its own one and all above", func(text string, dirs ...string) {
		Expect(pidsCgroups(text)).To(HaveExactElements(dirs))
	},
		Entry("version 2", "0::/user.slice/a.scope\n", "/user.slice/a.scope", "/user.slice", "/", "/unified/user.slice/a.scope", "/unified/user.slice", "/unified"),
		Entry("version 1", "12:cpu,pids:/docker/x\n11:memory:/y\n", "/pids/docker/x", "/pids/docker", "/pids"),
		Entry("a container's root", "0::/\n", "/", "/unified"),
		Entry("a path that leads out of a cgroup namespace", "0::/../job\n", "/job", "/", "/unified/job", "/unified"),
		Entry("nothing", "\ntorn\n"),
	)

	It("the unit of a process is its cgroup of version 2, or the first", func() {
		Expect(unit("12:pids:/a\n0::/b\n")).To(Equal("/b"))
		Expect(unit("12:pids:/a\n11:cpu:/c\n0::/\n")).To(Equal("/a"))
		Expect(unit("")).To(BeEmpty())
	})

	It("a limit of processes is read with what is in use", func() {
		dir := GinkgoT().TempDir()
		Expect(pidsIn(dir)).To(BeNil())
		Expect(os.WriteFile(dir+"/pids.max", []byte("max\n"), 0o600)).To(Succeed())
		Expect(os.WriteFile(dir+"/pids.current", []byte("7\n"), 0o600)).To(Succeed())
		Expect(pidsIn(dir)).To(BeNil())
		Expect(os.WriteFile(dir+"/pids.max", []byte("20\n"), 0o600)).To(Succeed())
		Expect(pidsIn(dir)).To(Equal(&Quota{Limit: 20, Used: 7, Counted: true, Where: dir + "/pids.max"}))
	})

	DescribeTable("whether logind ends processes is its configuration, the last drop-in before all", func(root bool, kills bool, files fstest.MapFS) {
		Expect(logindKills(files, root)).To(Equal(kills))
	},
		Entry("not by default", false, false, fstest.MapFS{}),
		Entry("not by a comment", false, false, fstest.MapFS{"etc/systemd/logind.conf": file("[Login]\n#KillUserProcesses=yes\n")}),
		Entry("by the main file", false, true, fstest.MapFS{"etc/systemd/logind.conf": file("[Login]\n KillUserProcesses = yes\n")}),
		Entry("not those of root", true, false, fstest.MapFS{"etc/systemd/logind.conf": file("KillUserProcesses=true\n")}),
		Entry("those of root where they are not excluded", true, true, fstest.MapFS{"etc/systemd/logind.conf": file("KillUserProcesses=true\nKillExcludeUsers=\n")}),
		Entry("by the first main file alone", false, false, fstest.MapFS{
			"etc/systemd/logind.conf":     file("[Login]\n"),
			"usr/lib/systemd/logind.conf": file("KillUserProcesses=yes\n"),
		}),
		Entry("by a drop-in", false, true, fstest.MapFS{
			"etc/systemd/logind.conf":                  file("KillUserProcesses=no\n"),
			"usr/lib/systemd/logind.conf.d/90-on.conf": file("KillUserProcesses=yes\n"),
			"etc/systemd/logind.conf.d/10-off.conf":    file("KillUserProcesses=no\n"),
			"etc/systemd/logind.conf.d/99.disabled":    file("KillUserProcesses=no\n"),
		}),
		Entry("not by a drop-in that is hidden", false, false, fstest.MapFS{
			"usr/lib/systemd/logind.conf.d/90-on.conf": file("KillUserProcesses=yes\n"),
			"etc/systemd/logind.conf.d/90-on.conf":     file(""),
		}),
	)

	It("the threads of a process and its inotify instances are counted", func() {
		Expect(threads(os.Getpid())).To(BeNumerically(">", 1)) // Go's runtime has several
		sleeper := exec.Command("sleep", "1000")
		Expect(sleeper.Start()).To(Succeed())
		DeferCleanup(func() {
			_ = sleeper.Process.Kill()
			_ = sleeper.Wait()
		})
		Expect(threads(sleeper.Process.Pid)).To(BeEquivalentTo(1))
		Expect(threads(1 << 30)).To(BeZero())
		fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(unix.Close, fd)
		Expect(instancesOf([]process.Row{rowOf(os.Getpid())})).To(BeEquivalentTo(1))
		Expect(instancesOf([]process.Row{rowOf(sleeper.Process.Pid)})).To(BeZero())
		q, err := inotify()
		Expect(err).NotTo(HaveOccurred())
		Expect(q).NotTo(BeNil())
		Expect(q.Limit).NotTo(BeZero())
	})
})

func rowOf(pid int) process.Row {
	return process.Row{Process: process.Process{Identity: process.Identity{PID: pid}}}
}

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

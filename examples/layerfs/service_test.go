package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/examples/layerfs/mounts"
)

var _ = Describe("The service", Label("linux", "fuse"), func() {
	DescribeTable("can be killed and started again under living readers", func(_ SpecContext, flags ...string) {
		s := newStand(flags...)
		a := s.shell("--layer", s.layer("a", map[string]string{"f": "of a\n"}))
		b := s.shell("--edit", "--layer", s.layer("b", map[string]string{"f": "of b\n", "g": "g\n"}))
		Expect(b.do("echo written >new; echo more >>f; rm g")).To(BeEmpty())
		Expect(a.do(`( ( while ! [ -e "` + s.dir + `/go" ]; do sleep 0.01; done; cat "` + s.top() + `/f" >"` + s.dir + `/out" ) >/dev/null 2>&1 & )`)).To(BeEmpty()) // a beat of the reader, which waits for the file
		s.kill()
		Expect(a.do("cat " + s.top() + "/f")).To(ContainSubstring("not connected"))
		s.serve()
		Expect(a.do("cat " + s.top() + "/f")).To(Equal("of a\n"))
		Expect(b.do("cd " + s.top() + "; cat f new; ls")).To(Equal("of b\nmore\nwritten\nf\nnew\n"))
		Expect(os.WriteFile(filepath.Join(s.dir, "go"), nil, 0o600)).To(Succeed())
		Eventually(os.ReadFile).WithArguments(filepath.Join(s.dir, "out")).Should(BeEquivalentTo("of a\n"), "an orphan")
		Expect(a.do("exec 3<" + s.top() + "/f; cat <&3")).To(Equal("of a\n"))
		a.exits()
		b.exits()
		Eventually(s.runtimes).Should(BeEmpty())
	}, shapes)

	DescribeTable("leaves the runtimes on a signal, and the next one goes on", func(_ SpecContext, flags ...string) {
		s := newStand(flags...)
		b := s.shell("--edit", "--layer", s.layer("b", map[string]string{"f": "of b\n"}))
		Expect(b.do("echo written >new; cd /")).To(BeEmpty())
		Expect(s.service.Process.Signal(syscall.SIGTERM)).To(Succeed())
		Expect(s.service.Wait()).To(Succeed())
		Expect(mounts.At(s.mount)).To(HaveField("Kind", Not(Equal(mounts.Kind))))
		s.serve()
		Expect(b.do("cat " + s.top() + "/new")).To(Equal("written\n"))
	}, modes)

	DescribeTable("removes the scratch layer when the last process has ended, and not before", func(_ SpecContext, flags ...string) {
		s := newStand(flags...)
		gate := filepath.Join(s.dir, "gate")
		Expect(syscall.Mkfifo(gate, 0o600)).To(Succeed())
		sh := s.shell("--edit", "--name", "work", "--layer", s.layer("a", nil))
		Expect(sh.do("echo x >new; mkdir d; ( ( read x <" + gate + " ) >/dev/null 2>&1 & )")).To(BeEmpty())
		sh.exits()
		kept, err := filepath.Glob(filepath.Join(s.dir, "state", "gemini-layerfs", "*", "runtimes", "work", "root", "scratch", "upper", "new"))
		Expect(err).NotTo(HaveOccurred())
		Expect(kept).To(HaveLen(1))
		Expect(os.WriteFile(gate, []byte("go\n"), 0)).To(Succeed())
		Eventually(kept[0]).ShouldNot(BeAnExistingFile())
		Eventually(s.runtimes).Should(BeEmpty())
	}, modes)

	DescribeTable("shows EIO to the processes of a runtime whose layers are not known, and keeps it", func(_ SpecContext, flags ...string) {
		s := newStand(flags...)
		layer := s.layer("a", map[string]string{"f": "of a\n"})
		sh := s.shell("--name", "work", "--layer", layer)
		s.kill()
		Expect(os.Rename(layer, layer+".away")).To(Succeed())
		s.serve()
		Expect(sh.do("cat " + s.top() + "/f")).To(ContainSubstring("Input/output error"))
		Expect(s.cmd("status", s.mount).Output()).To(ContainSubstring("not known: "))
	}, modes)

	DescribeTable("refuses to unmount while a runtime lives, and names its processes", func(_ SpecContext, flags ...string) {
		s := newStand(flags...)
		sh := s.shell("--name", "work", "--layer", s.layer("a", nil))
		out, err := s.cmd("unmount", s.mount).CombinedOutput()
		Expect(err).To(HaveOccurred())
		Expect(string(out)).To(MatchRegexp(fmt.Sprintf(`the mount is in use\n  runtime work, processes .*\b%d\b`, sh.cmd.Process.Pid)))
		Expect(s.cmd("status", s.mount).Output()).To(MatchRegexp(`work +no +%d `, sh.cmd.Process.Pid))
		sh.exits()
		Expect(s.cmd("unmount", s.mount).CombinedOutput()).To(BeEmpty())
		Expect(s.service.Wait()).To(Succeed())
		Expect(s.cmd("status", s.mount).Run()).NotTo(Succeed())
		s.serve()
	}, modes)

	It("refuses to unmount while a stranger stands in the mount, and names it", patient, func(SpecContext) {
		s := newStand()
		stranger := s.stranger()
		Expect(stranger.do("cd m")).To(BeEmpty())
		out, err := s.cmd("unmount", s.mount).CombinedOutput()
		Expect(err).To(HaveOccurred())
		Expect(string(out)).To(ContainSubstring("process " + strconv.Itoa(stranger.cmd.Process.Pid) + " (sh) stands there"))
		Expect(stranger.do("cd /")).To(BeEmpty())
	})

	DescribeTable("ends the processes of all runtimes before it unmounts by force", func(_ SpecContext, flags ...string) {
		s := newStand(flags...)
		sh := s.shell("--edit", "--layer", s.layer("a", nil))
		Expect(sh.do("echo x >new")).To(BeEmpty())
		Expect(s.cmd("unmount", s.mount, "--force").CombinedOutput()).To(BeEmpty())
		Expect(sh.cmd.Wait()).NotTo(Succeed())
		Expect(s.service.Wait()).To(Succeed())
		Expect(s.runtimes()).To(BeEmpty())
		s.serve()
	}, modes)

	DescribeTable("is needed to run a command", func(_ SpecContext, flags ...string) {
		s := newStand(flags...)
		layer := s.layer("a", nil)
		ran := filepath.Join(s.dir, "ran")
		s.kill()
		run := s.cmd("run", "--mount", s.mount, "--layer", layer, "--", "touch", ran)
		out, err := run.CombinedOutput()
		Expect(err).To(HaveOccurred())
		Expect(run.ProcessState.ExitCode()).To(Equal(125))
		Expect(string(out)).To(ContainSubstring("no layerfs service answers"))
		Expect(ran).NotTo(BeAnExistingFile())
		Expect(s.runtimes()).To(BeEmpty())
		s.serve()
		Expect(s.cmd("run", "--mount", s.dir, "--layer", layer, "--", "touch", ran).Run()).NotTo(Succeed())
		Expect(ran).NotTo(BeAnExistingFile())
	}, modes)

	DescribeTable("is one for a store", func(_ SpecContext, flags ...string) {
		s := newStand(flags...)
		out, err := s.cmd(append([]string{"serve", s.mount}, flags...)...).CombinedOutput()
		Expect(err).To(HaveOccurred())
		Expect(string(out)).To(ContainSubstring("another layerfs service has the store"))
	}, modes)
})

// runtimes returns the names in the store.
func (s *stand) runtimes() (names []string) {
	found, _ := filepath.Glob(filepath.Join(s.dir, "state", "gemini-layerfs", "*", "runtimes", "*"))
	for _, path := range found {
		if name := filepath.Base(path); !strings.HasPrefix(name, ".") {
			names = append(names, name)
		}
	}
	return names
}

//go:build darwin || linux

package scenarios_test

import (
	"bytes"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("monitor serve", ours, func() {
	It("is the resident monitor in the foreground, without a guard, and leaves everything when it is told to end", func(ctx SpecContext) {
		serve := stage.Start("monitor", "serve")
		serve.Expect("serving")
		c := startCrowd(3)
		c.expectWatchedBy(ctx, serve.PID())
		pair, err := gemini.Pair(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(pair).To(And(HaveField("Resident", serve.PID()), HaveField("Guard", 0), HaveField("Runtimes", 3)))
		Expect(gemini.Processes()).To(BeEmpty())
		c.leave(ctx, 1)

		serve.Signal(syscall.SIGTERM)
		Expect(serve.Wait()).To(Equal(harness.Status{}), serve.Output())
		Expect(gemini.Monitors()).To(HaveLen(2))
		Expect(gemini.Processes()).To(BeEmpty())
		// It waits for the resident for 2 s. On a busy machine it may be later.
		Eventually(ctx, func() string { return stage.Run("monitor", "list").Stdout }).Should(MatchRegexp(`(?m)^crowd-2 +running `))
		c.expectWatchedBy(ctx, expectPair(ctx).Resident)
		c.expectKept(ctx)
		c.leave(ctx, 2)
		expectNoPair(ctx)
	}, limit)

	It("takes over at once what has no monitor, and stays when all have ended", func(ctx SpecContext) {
		c := startCrowd(2)
		pair := expectPair(ctx)
		fell(ctx, pair.Resident, pair.Guard)
		serve := stage.Start("monitor", "serve")
		c.expectWatchedBy(ctx, serve.PID())
		c.leave(ctx, 2)
		passTime(ctx)
		Expect(serve.Exited()).NotTo(BeClosed(), serve.Output())
		serve.Signal(syscall.SIGINT)
		Expect(serve.Wait()).To(Equal(harness.Status{}), serve.Output())
		Expect(serve.Output()).To(ContainSubstring("the runtimes stay"))
	}, limit)

	It("ends with --idle when there was nothing to watch", func(ctx SpecContext) {
		alone()
		job := stage.Start(monitor.Run("last", "puppet", "last")...)
		last := stage.Puppet("last")
		end(ctx, "last", syscall.SIGKILL)
		serve := stage.Start("monitor", "serve", "--idle", "1ms")
		Eventually(ctx, gemini.Monitors).Should(Equal(map[string]int{"last": serve.PID()}))
		last.Exit(0)
		expectRemoved(ctx, "last", job.Oracle())
		Expect(serve.Wait()).To(Equal(harness.Status{}), serve.Output())
		Expect(residentFiles()).To(ConsistOf("resident.lock"))
	}, limit)

	It("is refused where a resident serves, or watches that runtime", func(ctx SpecContext) {
		c := startCrowd(1)
		pair := expectPair(ctx)
		second := stage.Run("monitor", "serve")
		Expect(second.Status).To(Equal(harness.Status{Code: 1}))
		Expect(second.Stderr).To(Equal("monitor: another resident monitor serves the store\n"))
		named := stage.Run("monitor", "serve", "crowd-1")
		Expect(named.Status).To(Equal(harness.Status{Code: 1}))
		Expect(named.Stderr).To(MatchRegexp(`^monitor: [^\n]*%d[^\n]*\n$`, pair.Resident))
		expectSamePair(ctx, pair)
		c.leave(ctx, 1)
		expectNoPair(ctx)
	}, limit)

	It("leaves a runtime alone that has a monitor of its own, and the resident beside that watches the others", func(ctx SpecContext) {
		job := stage.Start("monitor", "run", "--no-resident", "--name", "own", "--", "puppet", "own")
		own := stage.Puppet("own")
		by := monitorOf(ctx, "own")
		c := startCrowd(1)
		pair := expectPair(ctx)
		Expect(gemini.Monitors()).To(Equal(map[string]int{"own": by, "crowd-1": pair.Resident}))
		Expect(stage.Run("monitor", "prune").Stdout).To(Equal("crowd-1: watched\nown: watched\n"))
		own.Exit(0)
		expectRemoved(ctx, "own", job.Oracle())
		c.leave(ctx, 1)
		expectNoPair(ctx)
	}, limit)
})

var _ = Describe("Another version of the program", ours, func() {
	It("in the place of its file changes nothing: guard and resident are the running one", Label("linux"), func(ctx SpecContext) {
		copied := copyOfProgram("monitor", func(image []byte) []byte { return image })[0]
		job := stage.Start(copied, "run", "--name", "kept", "--", "puppet", "kept")
		kept := stage.Puppet("kept")
		pair := expectPair(ctx)
		other := copied + ".new"
		Expect(os.WriteFile(other, []byte("#!/bin/sh\nexit 3\n"), 0o755)).To(Succeed())
		Expect(os.Rename(other, copied)).To(Succeed())
		for _, victim := range []func() int{
			func() int { return pair.Resident }, func() int { return pair.Guard }, func() int { return pair.Resident },
		} {
			fell(ctx, victim())
			pair = expectPair(ctx)
		}
		expectKept(ctx, "kept", job.Oracle())
		kept.Exit(0)
		expectRemoved(ctx, "kept", job.Oracle())
		expectNoPair(ctx)
	}, limit)

	It("takes over from an older one, once, when both are used in turn", func(ctx SpecContext) {
		older, newer := programOfVersion("v1.0."), programOfVersion("v1.1.")
		with := func(program []string, words ...string) []string { return append(slices.Clone(program), words...) }
		job := stage.Start(with(older, "run", "--name", "kept", "--", "puppet", "kept")...)
		kept := stage.Puppet("kept")
		before := expectPair(ctx)
		Expect(before.Version).To(HavePrefix("v1.0."))
		residents := []int{before.Resident}
		for range 10 {
			for _, program := range [][]string{newer, older} {
				result := stage.Run(with(program, "run", "--", "echo", "ran")...)
				Expect(result).To(Equal(harness.Result{Stdout: "ran\n"}))
				if now := expectPair(ctx).Resident; now != residents[len(residents)-1] {
					residents = append(residents, now)
				}
			}
		}
		Expect(residents).To(HaveLen(2), "one has taken over")
		after := expectPair(ctx)
		Expect(after.Version).To(HavePrefix("v1.1."))
		Expect(gemini.Monitors()).To(HaveKeyWithValue("kept", after.Resident))
		Expect(events("kept")).To(Equal(map[string]int{"joined": 1, "unwatched": 1}))
		expectKept(ctx, "kept", job.Oracle())
		kept.Exit(0)
		expectRemoved(ctx, "kept", job.Oracle())
		expectNoPair(ctx)
	}, limit)
})

// copyOfProgram returns the command line of a changed copy of the program.
func copyOfProgram(name string, change func(image []byte) []byte) []string {
	GinkgoHelper()
	image, err := os.ReadFile(program)
	Expect(err).NotTo(HaveOccurred())
	copied := stage.Path("programs", name)
	Expect(os.MkdirAll(filepath.Dir(copied), 0o700)).To(Succeed())
	Expect(os.WriteFile(copied, change(image), 0o755)).To(Succeed())
	if sign, err := exec.LookPath("codesign"); err == nil && runtime.GOOS == "darwin" {
		Expect(exec.Command(sign, "--force", "--sign", "-", copied).Run()).To(Succeed()) // else macOS kills it
	}
	return append(strings.Fields(os.Getenv("HARNESS_EXEC")), copied)
}

// programOfVersion returns the command line of a program whose build information has
// another version: one of the same length that begins with some numbers.
func programOfVersion(begin string) []string {
	GinkgoHelper()
	return copyOfProgram(begin+"monitor", func(image []byte) []byte {
		build, err := buildinfo.Read(bytes.NewReader(image))
		Expect(err).NotTo(HaveOccurred())
		line := func(version string) []byte { return fmt.Appendf(nil, "\nmod\t%s\t%s", build.Main.Path, version) }
		Expect(len(build.Main.Version)).To(BeNumerically(">", len(begin)))
		other := begin + strings.Repeat("1", len(build.Main.Version)-len(begin))
		changed := bytes.ReplaceAll(image, line(build.Main.Version), line(other))
		Expect(bytes.Equal(changed, image)).To(BeFalse(), "no version is found")
		return changed
	})
}

//go:build darwin || linux

package scenarios_test

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("A stopped resident monitor", ours, func() {
	It("is not waited for: the next runtime gets a monitor of its own, and keeps that one alone", func(ctx SpecContext) {
		c := startCrowd(1)
		pair := expectPair(ctx)
		resume := pause(pair.Resident)
		begun := time.Now()
		job := stage.Start(monitor.Run("own", "puppet", "own")...)
		own := stage.Puppet("own")
		Expect(time.Since(begun)).To(BeNumerically(">=", 2*time.Second))
		Expect(gemini.Log("own")).To(ContainSubstring("the runtime gets a monitor of its own"))
		found, err := gemini.Monitors()
		Expect(err).NotTo(HaveOccurred())
		Expect(found["own"]).NotTo(Equal(pair.Resident))

		resume()
		expectSamePair(ctx, pair) // it watches one runtime, as before
		Expect(stage.Run("monitor", "prune").Stdout).To(Equal("crowd-1: watched\nown: watched\n"))
		Expect(gemini.Monitors()).To(Equal(found))
		Expect(events("own")).To(Equal(map[string]int{"joined": 1}))
		own.Exit(0)
		expectRemoved(ctx, "own", job.Oracle())
		c.expectKept(ctx)
		c.leave(ctx, 1)
		expectNoPair(ctx)
	}, limit)

	It("is right about what it has missed", func(ctx SpecContext) {
		c := startCrowd(3)
		resume := pause(expectPair(ctx).Resident)
		leaf := c.owners[0].DoubleFork("leaf", harness.OwnSession)
		c.owners[0].Exit(0)
		c.owners[1].Exit(0)
		Expect(gemini.Monitors()).To(HaveLen(3))
		resume()
		Eventually(ctx, monitor.List).Should(ConsistOf("crowd-1", "crowd-3"))
		passTime(ctx)
		Expect(leaf.Gone()).NotTo(BeClosed())
		Expect(monitor.List(ctx)).To(ConsistOf("crowd-1", "crowd-3"))
		leaf.Exit(0)
		Eventually(ctx, monitor.List).Should(ConsistOf("crowd-3"))
		c.owners[2].Exit(0)
		c.job.Wait()
		expectEmptyStore(ctx)
		expectNoPair(ctx)
	}, limit)
})

var _ = Describe("The socket of the resident monitor", ours, func() {
	It("is made anew at once, and no start notices that it was removed", func(ctx SpecContext) {
		c := startCrowd(2)
		pair := expectPair(ctx)
		Expect(os.Remove(gemini.Socket())).To(Succeed())
		job := stage.Start(monitor.Run("late", "puppet", "late")...)
		late := stage.Puppet("late")
		Expect(gemini.Log("late")).NotTo(ContainSubstring("a monitor of its own"))
		c.names, c.owners = append(c.names, "late"), append(c.owners, late)
		c.expectWatchedBy(ctx, pair.Resident)
		Expect(expectPair(ctx).Resident).To(Equal(pair.Resident))
		c.leave(ctx, 3)
		job.Wait()
		expectNoPair(ctx)
	}, limit)

	DescribeTable("replaced by a file costs runtimes nothing but a monitor of their own, while that is there", func(ctx SpecContext, put func(path string) error) {
		c := startCrowd(2)
		pair := expectPair(ctx)
		Eventually(ctx, func() error {
			_ = os.Remove(gemini.Socket()) // which may come again at once
			return put(gemini.Socket())
		}).Should(Succeed())
		before, err := os.Lstat(gemini.Socket())
		Expect(err).NotTo(HaveOccurred())
		job := stage.Start(monitor.Run("own", "puppet", "own")...)
		own := stage.Puppet("own")
		Expect(gemini.Log("own")).To(ContainSubstring("the runtime gets a monitor of its own"))
		own.Exit(0)
		expectRemoved(ctx, "own", job.Oracle())
		after, err := os.Lstat(gemini.Socket())
		Expect(err).NotTo(HaveOccurred())
		Expect(os.SameFile(before, after)).To(BeTrue(), "it was removed")
		Expect(os.Remove(gemini.Socket())).To(Succeed())
		Expect(expectPair(ctx).Resident).To(Equal(pair.Resident))
		c.leave(ctx, len(c.names))
		expectNoPair(ctx)
	},
		Entry("a directory", limit, func(path string) error { return os.Mkdir(path, 0o700) }),
		Entry("a file", limit, func(path string) error {
			Expect(os.WriteFile(stage.Path("precious"), []byte("precious"), 0o600)).To(Succeed())
			return os.Link(stage.Path("precious"), path)
		}),
		Entry("a link", limit, func(path string) error {
			Expect(os.WriteFile(stage.Path("precious"), nil, 0o600)).To(Succeed())
			return os.Symlink(stage.Path("precious"), path)
		}),
	)

	DescribeTable("replaced by another program's socket is the resident monitor's again at once", func(ctx SpecContext, answer func(net.Conn)) {
		c := startCrowd(2)
		pair := expectPair(ctx)
		foreign(stage.Path("foreign"), answer)
		Expect(os.Rename(stage.Path("foreign"), gemini.Socket())).To(Succeed())
		Expect(expectPair(ctx).Resident).To(Equal(pair.Resident))
		job := stage.Start(monitor.Run("late", "puppet", "late")...)
		late := stage.Puppet("late")
		c.names, c.owners = append(c.names, "late"), append(c.owners, late)
		c.expectWatchedBy(ctx, pair.Resident)
		c.leave(ctx, 3)
		job.Wait()
		expectNoPair(ctx)
	},
		Entry("which answers something else", limit, func(conn net.Conn) { _, _ = io.WriteString(conn, "220 mail.example.org ESMTP\r\n\x00") }),
		Entry("which hangs up", limit, func(net.Conn) {}),
	)

	It("is made anew also after the store was moved away and back", func(ctx SpecContext) {
		c := startCrowd(2)
		pair := expectPair(ctx)
		Expect(os.Rename(gemini.Store, stage.Path("moved"))).To(Succeed())
		Expect(os.Rename(stage.Path("moved"), gemini.Store)).To(Succeed())
		c.expectWatchedBy(ctx, pair.Resident)
		Expect(os.Remove(gemini.Socket())).To(Succeed())
		Expect(expectPair(ctx).Resident).To(Equal(pair.Resident))
		c.leave(ctx, 2)
		expectNoPair(ctx)
	}, limit)

	for _, length := range []int{103, 104, 107, 108, 300} {
		It("may have a path of any length: "+lengthName(length), func(ctx SpecContext) {
			moveTo(lengthen(stage.Path("store"), length-len("/resident.sock")))
			Expect(os.MkdirAll(filepath.Dir(gemini.Store), 0o700)).To(Succeed())
			Expect(gemini.Socket()).To(HaveLen(length))
			c := startCrowd(2)
			var residents []int
			Eventually(ctx, func() (all []int, err error) { // its guard looks like it before its exec
				residents, _, err = gemini.Processes()
				return residents, err
			}).Should(HaveLen(1))
			c.expectWatchedBy(ctx, residents[0])
			c.leave(ctx, 1)
			c.leave(ctx, 1)
			expectNoPair(ctx)
		}, limit)
	}
})

// lengthen returns a path of some length that begins with a shorter one.
func lengthen(path string, length int) string {
	for missing := length - len(path); missing > 0; missing = length - len(path) {
		part := min(missing, 200)
		if missing-part == 1 {
			part--
		}
		path += "/" + strings.Repeat("d", part-1)
	}
	return path
}

func lengthName(length int) string {
	return map[int]string{
		103: "the longest of macOS", 104: "one more than macOS knows", 107: "the longest of Linux",
		108: "one more than Linux knows", 300: "300 bytes",
	}[length]
}

// foreign serves a socket that is not a resident's.
func foreign(path string, answer func(net.Conn)) {
	GinkgoHelper()
	l, err := net.Listen("unix", path)
	Expect(err).NotTo(HaveOccurred())
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			answer(conn)
			conn.Close()
		}
	}()
	DeferCleanup(func() {
		l.Close()
		<-done
	})
}

var _ = Describe("A store", ours, func() {
	It("of two names has one resident monitor", func(ctx SpecContext) {
		original := gemini.Store
		Expect(os.Symlink(original, stage.Path("link"))).To(Succeed())
		first := stage.Start(monitor.Run("first", "puppet", "first")...)
		one := stage.Puppet("first")
		pair := expectPair(ctx)
		moveTo(stage.Path("link"))
		second := stage.Start(monitor.Run("second", "puppet", "second")...)
		two := stage.Puppet("second")
		third := stage.Command("monitor", "--store", filepath.Base(original), "run", "--name", "third", "--", "puppet", "third").In(filepath.Dir(original)).Start()
		three := stage.Puppet("third")
		Expect(gemini.Monitors()).To(And(HaveLen(3), HaveEach(pair.Resident)))
		one.Exit(0)
		two.Exit(0)
		three.Exit(0)
		expectRemoved(ctx, "first", first.Oracle())
		expectRemoved(ctx, "second", second.Oracle())
		expectRemoved(ctx, "third", third.Oracle())
		moveTo(original)
		expectNoPair(ctx)
	}, limit)

	It("that is removed takes the resident monitor along, and no process of a runtime", func(ctx SpecContext) {
		c := startCrowd(2)
		expectPair(ctx)
		// The resident monitor may make its socket anew before the directory goes.
		Eventually(ctx, os.RemoveAll).WithArguments(gemini.Store).Should(Succeed())
		expectNoPair(ctx)
		for _, owner := range c.owners {
			Expect(owner.Report().PID).NotTo(BeZero())
		}
		Expect(exists(gemini.Store)).To(BeFalse())
		c.owners[0].Exit(0)
		c.owners[1].Exit(0)
		c.job.Wait()
	}, limit)

	It("that is moved is left by the resident monitor when a process ends, and the next command goes on there", func(ctx SpecContext) {
		c := startCrowd(2)
		expectPair(ctx)
		moved := stage.Path("moved")
		Expect(os.Rename(gemini.Store, moved)).To(Succeed())
		c.owners[0].Exit(0)
		expectNoPair(ctx)
		moveTo(moved)
		Eventually(ctx, monitor.List).Should(ConsistOf("crowd-2"))
		c.names, c.owners = c.names[1:], c.owners[1:]
		c.expectWatchedBy(ctx, expectPair(ctx).Resident)
		c.expectKept(ctx)
		c.leave(ctx, 1)
		expectNoPair(ctx)
	}, limit)
})

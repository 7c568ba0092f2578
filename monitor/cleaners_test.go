//go:build darwin || linux

package monitor_test

import (
	"os"
	"os/exec"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/monitor"
)

var _ = Describe("A cleaner that removes what is old", func() {
	var store *monitor.Store
	var runtime *monitor.Runtime
	var door *gate

	BeforeEach(func() {
		store, door = newStore(), newGate()
		runtime = own(store, "old", start("read -r x <&3", through(door)...).Identity)
	})

	// probe takes the lock that a cleaner takes before it looks into a directory.
	probe := func() error {
		GinkgoHelper()
		dir, err := os.Open(runtime.Dir())
		Expect(err).NotTo(HaveOccurred())
		defer dir.Close()
		return unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	}

	It("cannot lock the directory of a runtime while that has a monitor, and can afterwards", func() {
		Expect(probe()).To(Succeed())
		w := watched(runtime)
		Expect(probe()).To(MatchError(unix.EWOULDBLOCK))
		heir := exec.Command("/bin/sh", "-c", "read -r x") // it would keep a lock that it inherits
		latch, err := heir.StdinPipe()
		Expect(err).NotTo(HaveOccurred())
		Expect(heir.Start()).To(Succeed())
		w.leaves()
		Expect(probe()).To(Succeed())
		Expect(latch.Close()).To(Succeed())
		_ = heir.Wait()
	})

	It("does not keep a runtime from being removed when it is empty", func() {
		w := watched(runtime)
		door.open()
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
	})

	It("that is just at the directory does not keep it from being watched, and later finds it locked", func() {
		forks, ends := newGate(), newGate()
		runtime = own(store, "new", start("read -r x <&3; (read -r x <&5); :", through(forks, ends)...).Identity)
		dir, err := os.Open(runtime.Dir())
		Expect(err).NotTo(HaveOccurred())
		Expect(unix.Flock(int(dir.Fd()), unix.LOCK_EX)).To(Succeed())
		w := watched(runtime)
		Expect(dir.Close()).To(Succeed())
		Expect(probe()).To(Succeed())
		forks.open()
		Eventually(members(store, "new")).Should(HaveLen(2), "what the journal has")
		Expect(probe()).To(MatchError(unix.EWOULDBLOCK))
		ends.open()
		Expect(w.ends()).To(Succeed())
	})

	It("may have removed the trash, which was empty", func() {
		w := watched(runtime)
		Expect(os.Remove(store.Trash())).To(Succeed())
		door.open()
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
	})

	It("is systemd-tmpfiles: it leaves a watched runtime, and takes one without a monitor", Label("systemd"), func() {
		cleaner, err := exec.LookPath("systemd-tmpfiles")
		if err != nil {
			Skip("systemd-tmpfiles is not installed")
		}
		neglected := own(store, "neglected", dead())
		rules := filepath.Join(GinkgoT().TempDir(), "rules.conf")
		Expect(os.WriteFile(rules, []byte("e "+store.Dir()+" - - - 0\n"), 0o600)).To(Succeed())
		before := contents(runtime.Dir())
		w := watched(runtime)
		Expect(exec.Command(cleaner, "--clean", rules).CombinedOutput()).To(BeEmpty())
		Expect(neglected.Dir()).NotTo(BeADirectory(), "the spec proves nothing: nothing was cleaned")
		Expect(contents(runtime.Dir())).To(Equal(before))
		door.open()
		Expect(w.ends()).To(Succeed())
	})
})

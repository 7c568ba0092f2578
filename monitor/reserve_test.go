//go:build darwin || linux

package monitor_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/monitor"
)

var _ = Describe("A monitor keeps descriptors for the removal", func() {
	// The program that runs macOS builds on Linux needs descriptors itself.
	It("and removes its runtime with those, where others have taken the rest", Label("linux"), func() {
		store, g := newStore(), newGate()
		runtime := own(store, "build", start("read -r x <&3", through(g)...).Identity)
		Expect(os.MkdirAll(filepath.Join(runtime.Root(), "a", "b"), 0o700)).To(Succeed())
		clerk := engage(store, "build")
		clerk.obeys(openFew)
		g.open()
		Eventually(clerk.said).Should(gbytes.Say("ended: <nil>\n"))
		nothingLeft(store)
	})

	It("and does not begin where it has none", func() {
		Expect(play("miser")).To(MatchRegexp(`^keep \d descriptors for the removal: too many open files, true\n$`))
	})

	It("lends them to several removals at a time, and has them again after the last", func() {
		count := func() int {
			GinkgoHelper()
			open, err := descriptors()
			Expect(err).NotTo(HaveOccurred())
			return len(open)
		}
		before := count()
		r, err := monitor.NewReserve()
		Expect(err).NotTo(HaveOccurred())
		full := count()
		Expect(full).To(BeNumerically(">", before))
		first, second := r.Lend(), r.Lend()
		Expect(count()).To(Equal(before))
		first()
		Expect(count()).To(Equal(before))
		second()
		Expect(count()).To(Equal(full))
		Expect(r.Close()).To(Succeed())
		Expect(count()).To(Equal(before))
	})
})

// playMiser asks for a reserve where no file can be opened.
func playMiser([]string) error {
	release, err := lower(unix.RLIMIT_NOFILE, 3)
	if err != nil {
		return err
	}
	_, refused := monitor.NewReserve()
	fmt.Printf("%v, %t\n", refused, errors.Is(refused, unix.EMFILE))
	return release()
}

//go:build darwin || linux

package resident_test

import (
	"fmt"
	"runtime/pprof"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
)

// watching counts the goroutines of this process that watch a runtime.
func watching() (n int) {
	var all strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&all, 2) // a Builder takes it all
	for _, one := range strings.Split(all.String(), "\n\n") {
		if strings.Contains(one, "/monitor.(*Watching).") {
			n++
		}
	}
	return n
}

var _ = Describe("A resident", func() {
	It("has no goroutine for a runtime in which nothing happens, and removes it all the same", func() {
		store := newStore()
		var owners []*child
		for i := range 5 {
			owners = append(owners, sleeper())
			running(store, fmt.Sprint("build", i), owners[i].Identity)
		}
		serve(store)
		for i := range owners {
			r, err := store.Runtime(fmt.Sprint("build", i))
			Expect(err).NotTo(HaveOccurred())
			Eventually(r.Record).Should(watchedBy(self()))
		}
		Eventually(watching).Should(BeZero())
		Expect(status(store)).To(HaveField("Runtimes", len(owners)))
		for i, owner := range owners {
			Expect(owner.ends()).To(Succeed())
			Eventually(func() error {
				_, err := store.Runtime(fmt.Sprint("build", i))
				return err
			}).Should(MatchError(monitor.ErrNotExist))
		}
		Eventually(status).WithArguments(store).Should(HaveField("Runtimes", 0))
	})
})

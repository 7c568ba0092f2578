//go:build darwin || linux

package monitor_test

import (
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
)

var _ = Describe("What a sweep would delete", func() {
	It("is counted: the trash and what a dead process was making, and nothing of a living one", func() {
		store := newStore()
		Expect(store.Unswept()).To(BeZero())
		Expect(contents(store.Dir())).To(BeEmpty())
		_, err := store.Create(mine("build", nil))
		Expect(err).NotTo(HaveOccurred())
		here, err := monitor.ReadMachine()
		Expect(err).NotTo(HaveOccurred())
		left := []string{
			filepath.Join(store.Runtimes(), monitor.StageOf(dead(), here)+"1"),
			filepath.Join(store.Runtimes(), monitor.StageOf(self(), here)+"1"),
			filepath.Join(store.Trash(), "x-1"),
		}
		for _, dir := range left {
			Expect(os.Mkdir(dir, 0o700)).To(Succeed())
		}
		Expect(store.Unswept()).To(Equal(2))
		for _, dir := range left {
			Expect(dir).To(BeADirectory(), "it changes nothing")
		}
		store.Sweep()
		Expect(store.Unswept()).To(BeZero())
		Expect(left[1]).To(BeADirectory(), "its maker lives")
		Expect(contents(store.Runtimes())).To(ConsistOf("build", filepath.Base(left[1])))
	})
})

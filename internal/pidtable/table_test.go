package pidtable

import (
	"sync"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/gemini-monitor/gemini/internal/property"
)

func TestTable(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "PID table", Label("pure"))
}

var _ = Describe("A table by PID", func() {
	It("has what a map would have, whatever was stored and removed", func() {
		Expect(property.Check(500, func(t *rapid.T) {
			var table Table[int]
			is := make(map[int]*int)
			pids := rapid.SampledFrom([]int{1, 2, 127, 128, 129, 16383, 16384, 99999, 1<<22 - 1})
			for range rapid.IntRange(1, 60).Draw(t, "steps") {
				pid := pids.Draw(t, "pid")
				if rapid.Bool().Draw(t, "removes") {
					table.Store(pid, nil)
					delete(is, pid)
				} else {
					is[pid] = new(int)
					table.Store(pid, is[pid])
				}
				for _, pid := range []int{1, 2, 3, 127, 128, 129, 16383, 16384, 99999, 1<<22 - 1} {
					if table.Load(pid) != is[pid] {
						t.Fatalf("the entry of %d is another", pid)
					}
				}
				if table.Len() != len(is) {
					t.Fatalf("it has %d entries, and holds %d", table.Len(), len(is))
				}
			}
		})).To(BeEmpty())
	})

	It("keeps no memory for PIDs that have no entry any more", func() {
		var table Table[int]
		for pid := range 1 << 16 {
			table.Store(pid, new(int))
		}
		for pid := range 1 << 16 {
			table.Store(pid, nil)
		}
		for i := range table.parts {
			Expect(table.parts[i].Load()).To(BeNil())
		}
	})

	It("has no entry for what is no PID", func() {
		var table Table[int]
		for _, pid := range []int{-1, 1 << 22, 1 << 40, -1 << 40} {
			table.Store(pid, new(int))
			Expect(table.Load(pid)).To(BeNil())
		}
		Expect(table.Len()).To(BeZero())
	})

	It("may be read while it is changed", func() {
		var table Table[int]
		stays := new(int)
		table.Store(130, stays)
		stop := make(chan struct{})
		var changers sync.WaitGroup
		for i := range 2 {
			changers.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						table.Store(128+i, new(int))
						table.Store(128+i, nil)
					}
				}
			})
		}
		for range 100_000 {
			Expect(table.Load(130) == stays).To(BeTrue())
			table.Load(128)
		}
		close(stop)
		changers.Wait()
	})
})

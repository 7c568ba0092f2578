package monitor_test

import (
	"fmt"
	"iter"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/gemini-monitor/gemini/monitor"
)

var _ = Describe("Events of several sources", func() {
	// source has events at some seconds.
	source := func(name string, seconds ...int) iter.Seq[monitor.Event] {
		return func(yield func(monitor.Event) bool) {
			for i, s := range seconds {
				if !yield(monitor.Event{Name: fmt.Sprint(name, i), Time: time.Unix(int64(s), 0)}) {
					return
				}
			}
		}
	}
	names := func(events iter.Seq[monitor.Event]) (all []string) {
		for e := range events {
			all = append(all, e.Name)
		}
		return all
	}

	It("are in the order of their times, and at one time in that of the sources", func() {
		Expect(names(monitor.Merge(source("a", 1, 4), source("b"), source("c", 1, 2, 4)))).To(Equal([]string{"a0", "c0", "c1", "a1", "c2"}))
	})

	It("keep the order of each source, whatever their times are", func() {
		Expect(names(monitor.Merge(source("a", 5, 1), source("b", 2)))).To(Equal([]string{"b0", "a0", "a1"}))
	})

	It("are no more than one of each source ahead, and end with the reader", func() {
		made := 0
		endless := func(yield func(monitor.Event) bool) {
			for yield(monitor.Event{}) {
				made++
			}
		}
		for range monitor.Merge(endless, endless) {
			if made > 10 {
				break
			}
		}
		Expect(made).To(BeNumerically("<", 14))
	})

	It("are all there, sorted where the sources are", func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			lists := rapid.SliceOfN(rapid.SliceOf(rapid.IntRange(0, 9)), 0, 5).Draw(t, "lists")
			var sources []iter.Seq[monitor.Event]
			var want []int64
			for _, list := range lists {
				slices.Sort(list)
				sources = append(sources, source("", list...))
				for _, s := range list {
					want = append(want, int64(s))
				}
			}
			slices.Sort(want)
			var got []int64
			for e := range monitor.Merge(sources...) {
				got = append(got, e.Time.Unix())
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%v became %v", lists, got)
			}
		})
	})
})

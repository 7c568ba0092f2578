package monitor

import (
	"container/heap"
	"iter"
)

// merge yields the events of several sources by their time. The order of each source is kept.
// It has one event of each source in memory.
func merge(sources []iter.Seq[Event]) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		var heads heads
		defer func() {
			for _, h := range heads {
				h.stop()
			}
		}()
		for i, source := range sources {
			next, stop := iter.Pull(source)
			if e, ok := next(); ok {
				heads = append(heads, &head{e, i, next, stop})
			} else {
				stop()
			}
		}
		heap.Init(&heads)
		for len(heads) > 0 {
			first := heads[0]
			if !yield(first.event) {
				return
			}
			var ok bool
			if first.event, ok = first.next(); ok {
				heap.Fix(&heads, 0)
			} else {
				first.stop()
				heap.Pop(&heads)
			}
		}
	}
}

// A head is the next event of a source.
type head struct {
	event Event
	place int // of the source
	next  func() (Event, bool)
	stop  func()
}

// heads implement [heap.Interface]: the earliest event comes first, and of two at the same
// time that of the earlier source.
type heads []*head

func (h heads) Len() int      { return len(h) }
func (h heads) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *heads) Push(x any)   { *h = append(*h, x.(*head)) }

func (h heads) Less(i, j int) bool {
	if order := h[i].event.Time.Compare(h[j].event.Time); order != 0 {
		return order < 0
	}
	return h[i].place < h[j].place
}

func (h *heads) Pop() any {
	all := *h
	last := all[len(all)-1]
	*h = all[:len(all)-1]
	return last
}

package monitor

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// A quarry is a process that is made to end: what it is, and what the monitor knows of it.
type quarry struct{ born, dead, frozen, seen, asked bool }

// A chase is a stopping at work on up to four processes. Between any two signals each process
// that is not frozen may fork, and the table may show the child or lose it until it is read
// anew. A process may end by itself only when it was asked.
type chase struct {
	all     [4]quarry
	machine stopping
	acts    string // the acts and signals that are under way, by their first letters
	due     bool   // the timer is set
	newly   int
	asks    int // how often members were asked
}

func (c chase) key() string { return fmt.Sprintf("%v", c) }

// take has the machine take an event.
func (c *chase) take(step func(*stopping, stopEvent) []stopAct, e stopEvent) {
	for _, a := range step(&c.machine, e) {
		c.acts += a.kind.String()[:1]
	}
}

// next returns all that may follow, each with what is wrong with it, empty for nothing.
func (c chase) next(step func(*stopping, stopEvent) []stopAct) (all []chase, fault string) {
	for i, q := range c.all {
		if !q.born || q.dead || q.frozen {
			continue
		}
		if q.asked {
			all = append(all, c.with(func(c *chase) { c.all[i].dead = true }))
		}
		if child := slices.IndexFunc(c.all[:], func(q quarry) bool { return !q.born }); child >= 0 {
			for _, seen := range []bool{true, false} {
				all = append(all, c.with(func(c *chase) { c.all[child] = quarry{born: true, seen: seen} }))
			}
		}
	}
	switch {
	case c.acts != "":
		after, fault := c.act(step)
		return append(all, after), fault
	case c.due:
		all = append(all, c.with(func(c *chase) { c.due = false; c.take(step, stopEvent{kind: due}) }))
	}
	return all, ""
}

func (c chase) with(change func(*chase)) chase {
	change(&c)
	return c
}

// act carries out one signal, or the act that is next.
func (c chase) act(step func(*stopping, stopEvent) []stopAct) (chase, string) {
	kind, rest := c.acts[0], c.acts[1:]
	loose := slices.IndexFunc(c.all[:], func(q quarry) bool { return q.born && !q.dead && q.seen && !q.frozen })
	switch kind {
	case 'a': // ask members
		c.asks++
		for i, q := range c.all {
			c.all[i].asked = q.asked || q.born && q.seen
		}
	case 's': // set due
		c.due = true
	case 'f': // freeze
		if loose >= 0 {
			c.all[loose].frozen = true
			c.newly++
			return c, ""
		}
		newly := c.newly
		c.newly, c.acts = 0, rest
		c.take(step, stopEvent{kind: froze, newly: newly})
		return c, ""
	case 'l': // look again
		for i, q := range c.all {
			c.all[i].seen = q.born
		}
		c.acts = rest
		c.take(step, stopEvent{kind: looked})
		return c, ""
	case 'k': // kill
		if slices.ContainsFunc(c.all[:], func(q quarry) bool { return q.born && !q.dead && !q.frozen }) {
			return c, "kills while a process may fork"
		}
		for i, q := range c.all {
			c.all[i].dead = q.dead || q.born && q.seen
		}
		c.due = true
	}
	c.acts = rest
	return c, ""
}

// everyChase follows every order, and returns how many states there are and the first fault.
func everyChase(first chase, step func(*stopping, stopEvent) []stopAct) (states int, fault string) {
	seen := map[string]bool{first.key(): true}
	for todo := []chase{first}; len(todo) > 0; todo = todo[1:] {
		c := todo[0]
		all, fault := c.next(step)
		lives := slices.ContainsFunc(c.all[:], func(q quarry) bool { return q.born && !q.dead })
		switch {
		case fault != "":
			return len(seen), fault
		case c.asks > 1:
			return len(seen), "asks twice"
		case len(all) == 0 && lives:
			return len(seen), "nothing happens any more, and a process lives"
		}
		for _, after := range all {
			if key := after.key(); !seen[key] {
				seen[key] = true
				todo = append(todo, after)
			}
		}
	}
	return len(seen), ""
}

// hunted begins a chase of a process by a request.
func hunted(step func(*stopping, stopEvent) []stopAct, kind stopEventKind) chase {
	c := chase{}
	c.all[0] = quarry{born: true, seen: true}
	c.take(step, stopEvent{kind: kind, grace: time.Second})
	return c
}

var _ = Describe("Making members end, in every order", func() {
	It("asks once, and kills only what forks no more, until none lives", func() {
		for _, kind := range []stopEventKind{stopAsked, askedBefore} {
			states, fault := everyChase(hunted((*stopping).step, kind), (*stopping).step)
			Expect(fault).To(BeEmpty())
			Expect(states).To(BeNumerically(">", 300))
		}
	})

	DescribeTable("catches a machine that", func(step func(*stopping, stopEvent) []stopAct, what string) {
		_, fault := everyChase(hunted(step, stopAsked), step)
		Expect(fault).To(Equal(what))
	},
		Entry("kills without freezing", func(s *stopping, e stopEvent) []stopAct {
			acts := s.step(e)
			for i, a := range acts {
				if a.kind == freeze {
					s.phase = killed
					acts[i] = stopAct{kind: kill}
				}
			}
			return acts
		}, "kills while a process may fork"),
		Entry("kills without a look", func(s *stopping, e stopEvent) []stopAct {
			s.looked = true
			return s.step(e)
		}, "kills while a process may fork"),
		Entry("takes an earlier look for one after the last was frozen", func(s *stopping, e stopEvent) []stopAct {
			if e.kind == froze {
				e.newly = 0
			}
			return s.step(e)
		}, "kills while a process may fork"),
		Entry("never kills", func(s *stopping, e stopEvent) []stopAct {
			return slices.DeleteFunc(s.step(e), func(a stopAct) bool { return a.kind == setDue })
		}, "nothing happens any more, and a process lives"),
	)
})

var _ = DescribeTable("A stopping", func(events []stopEvent, what string) {
	var s stopping
	var lines []string
	for _, e := range events {
		for _, a := range s.step(e) {
			line := a.kind.String()
			if a.after > 0 {
				line += " in " + a.after.String()
			}
			lines = append(lines, line)
		}
	}
	Expect(strings.Join(lines, "; ")).To(Equal(what))
},
	Entry("asks, and freezes when the grace is over",
		[]stopEvent{{kind: stopAsked, grace: time.Second}, {kind: due}}, "ask members; set due in 1s; freeze"),
	Entry("does not ask what an earlier monitor has asked",
		[]stopEvent{{kind: askedBefore, grace: time.Second}, {kind: due}}, "set due in 1s; freeze"),
	Entry("asks once, however often it is told",
		[]stopEvent{{kind: stopAsked, grace: time.Second}, {kind: stopAsked, grace: time.Millisecond}}, "ask members; set due in 1s; set due in 1ms"),
	Entry("looks after it has frozen all, and kills when that brought none",
		[]stopEvent{{kind: stopAsked}, {kind: due}, {kind: froze, newly: 3}, {kind: froze}, {kind: looked}, {kind: froze, newly: 1}, {kind: froze}, {kind: looked}, {kind: froze}},
		"ask members; set due; freeze; freeze; look again; freeze; freeze; look again; freeze; kill in 20ms"),
	Entry("looks once at least",
		[]stopEvent{{kind: stopAsked}, {kind: due}, {kind: froze}, {kind: looked}, {kind: froze}},
		"ask members; set due; freeze; look again; freeze; kill in 20ms"),
	Entry("goes round again, less and less often",
		[]stopEvent{{kind: stopAsked}, {kind: due}, {kind: froze}, {kind: looked}, {kind: froze}, {kind: due}, {kind: froze}, {kind: looked}, {kind: froze}},
		"ask members; set due; freeze; look again; freeze; kill in 20ms; freeze; look again; freeze; kill in 40ms"),
)

var _ = Describe("What is left of members that were told to end", func() {
	var s *stopper
	now := time.Now()
	member := func(pid int) trees.Member {
		return trees.Member{Process: process.Process{Identity: process.Identity{PID: pid}}}
	}

	BeforeEach(func() {
		s = &stopper{refused: map[process.Identity]error{{PID: 7}: fmt.Errorf("signal process 7: %w", syscall.EPERM)}, since: now}
	})

	It("is nothing while a member may still end", func() {
		Expect(s.remainder([]trees.Member{member(7), member(8)}, now.Add(killedFor))).To(BeZero())
		s.empty = now
		s.hear(true, now)
		Expect(s.remainder(nil, now.Add(emptyFor))).To(BeZero())
	})

	It("is nothing while the life has no reason for which an empty runtime stays", func() {
		s.empty = now
		Expect(s.remainder(nil, now.Add(time.Hour))).To(BeZero())
		s.hear(true, now)
		s.hear(false, now)
		s.hear(true, now.Add(time.Hour))
		Expect(s.remainder(nil, now.Add(time.Hour+emptyFor))).To(BeZero())
	})

	It("is each member that may not be signalled, with the reason of the kernel", func() {
		Expect(s.remainder([]trees.Member{member(7)}, now).Members).To(ConsistOf(
			Survivor{member(7), "it cannot be signalled: operation not permitted"}))
	})

	It("is a member that was killed long ago", func() {
		Expect(s.remainder([]trees.Member{member(7), member(8)}, now.Add(killedFor+1)).Members).To(HaveExactElements(
			HaveField("PID", 7), Equal(Survivor{member(8), "it was killed and has not ended"})))
	})

	It("is the empty runtime that stays", func() {
		s.empty = now
		s.hear(true, now)
		s.hear(true, now.Add(emptyFor))
		Expect(s.remainder(nil, now.Add(emptyFor+1))).To(Equal(Remainder{Empty: true}))
	})
})

package monitor

import (
	"fmt"
	"slices"
	"strings"
)

// An exploration is all that may happen from a stage on, breadth first.
type exploration struct {
	stages      int
	transitions int
	found       []*found
	index       map[string]int
	take        step
}

// A found stage knows how it was reached, and what follows where no process
// lives any more.
type found struct {
	stage *stage
	from  int
	by    string
	next  []int
}

// A fault is a property that does not hold, and the shortest way to it.
type fault struct {
	what string
	way  []string
}

func (f *fault) String() string { return f.what + "\n\t" + strings.Join(f.way, "\n\t") }

// everyStage follows every interleaving from a stage with a machine, until a
// property does not hold.
func everyStage(take step, first *stage) (*exploration, *fault) {
	x := &exploration{index: make(map[string]int), take: take}
	x.find(first, -1, "")
	for i := 0; i < len(x.found); i++ {
		if what := broken(x.found[i].stage); what != "" {
			return x, x.fault(i, what)
		}
		if f := x.follow(i); f != nil {
			return x, f
		}
	}
	return x, x.findCircle()
}

// find returns the number of a stage.
func (x *exploration) find(s *stage, from int, by string) int {
	key := s.key()
	if i, known := x.index[key]; known {
		return i
	}
	i := len(x.found)
	x.index[key] = i
	x.found = append(x.found, &found{stage: s, from: from, by: by})
	x.stages++
	return i
}

func (x *exploration) follow(i int) *fault {
	s := x.found[i].stage
	all := s.transitions(x.take)
	if len(all) == 0 && !s.concluded() {
		return x.fault(i, "nothing happens any more, and the runtime is there")
	}
	for _, t := range all {
		x.transitions++
		next := x.find(t.next, i, t.name)
		if mustEnd(s) {
			x.found[i].next = append(x.found[i].next, next)
		}
	}
	if !mustEnd(s) || s.concluded() {
		x.found[i].stage = &stage{} // it is not needed any more
	}
	return nil
}

// mustEnd reports whether only finitely much may happen: no process lives, and
// the table can be read.
func mustEnd(s *stage) bool {
	return s.world != nil && s.world.deserted() && !s.world.unreadable()
}

// broken returns the property of a single stage that does not hold.
func broken(s *stage) string {
	if len(s.acts) > 0 {
		return brokenBy(s, s.acts[0])
	}
	quiet := s.working && s.attached && len(s.events) == 0 && !s.retry
	switch {
	case quiet && s.world.written() != s.life.said:
		return fmt.Sprintf("the record says %v for good, and not %v", s.world.written(), s.life.said)
	case quiet && len(s.missing) > 0:
		return "changes are missing in the journal for good"
	}
	return ""
}

// brokenBy returns the property that an act breaks.
func brokenBy(s *stage, a act) string {
	switch {
	case concludes(a) && s.agreed != 2:
		return "removes it, or makes it idle, though the witnesses did not agree after the last news"
	case concludes(a) && !s.clear:
		return "removes it, or makes it idle, though a process was there when the lease was asked"
	case concludes(a) && s.world.newcomer().lives:
		return "removes it, or makes it idle, under a process that has joined"
	case a.kind == remove && s.durable:
		return "removes a durable runtime"
	case a.kind == makeIdle && !s.durable:
		return "keeps a runtime that is not durable"
	case a.kind == runHook && (s.agreed != 2 || !s.clear):
		return "runs the on-empty command though the witnesses did not agree"
	case a.kind == runHook && s.hookRuns:
		return "runs the on-empty command twice at a time"
	case concludes(a) && s.hooks && !s.hookDone:
		return "removes it, or makes it idle, before the on-empty command has ended well"
	case a.kind == finish && a.result == resultFailed && s.attached:
		return "gives up"
	case a.kind == finish && a.result == resultLeft && !s.leaving:
		return "leaves without a request"
	case a.kind == finish && a.result == resultRemoved && !s.world.removed():
		return "reports a removal that was none"
	case a.kind == finish && a.result == resultIdle && !s.world.idle():
		return "ends though the record does not have that the runtime is idle"
	}
	return ""
}

func concludes(a act) bool { return a.kind == remove || a.kind == makeIdle }

// findCircle finds what can go on for ever though no process lives. Colors: not
// visited, on the present way, done.
func (x *exploration) findCircle() *fault {
	color := make([]byte, len(x.found))
	var visit func(int) *fault
	visit = func(i int) *fault {
		color[i] = 1
		for _, next := range x.found[i].next {
			if color[next] == 1 {
				return x.fault(next, "goes round for ever though no process lives")
			}
			if color[next] == 0 {
				if f := visit(next); f != nil {
					return f
				}
			}
		}
		color[i] = 2
		return nil
	}
	for i := range x.found {
		if color[i] == 0 && len(x.found[i].next) > 0 {
			if f := visit(i); f != nil {
				return f
			}
		}
	}
	return nil
}

func (x *exploration) fault(i int, what string) *fault {
	f := &fault{what: what}
	for ; i >= 0; i = x.found[i].from {
		f.way = append(f.way, x.found[i].by)
	}
	slices.Reverse(f.way)
	return f
}

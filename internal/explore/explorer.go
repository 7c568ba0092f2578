package explore

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/gemini-monitor/gemini/internal/simkernel"
)

// An explorer visits every schedule of a case. It does not go on from a state
// that it has been in before. For each way that is left to go, it keeps a copy
// of the run as it was when the tracker began its step, and the choices since.
// A step of a process is tried on a copy of the kernel first: no way is kept to a
// state that is known already.
type explorer struct {
	Case
	flavour simkernel.Flavour
	states  map[[2]uint64]int
	beside  []byte  // what the state of the present run has beside its kernel
	text    []byte  // of a state
	next    [][]int // of each state
	entered []bool  // of each state: a run has chosen how to go on
	visited int     // states that were entered
	seeds   [2]maphash.Seed
	todo    []way
	holes   int
}

// A way leads to a state and makes one more choice there.
type way struct {
	base    *Run // nil is the beginning
	choices []uint8
	from    int // the state
	to      int // the state that the last choice leads to, or unknown
}

const unknown = -1

// Findings are what an exploration found.
type Findings struct {
	States    int
	Schedules float64 // ways from the beginning to an end, or around to a state met before
	Holes     int     // states in which the documented hole is open
	TooLarge  bool    // not all was visited
	Failure   string
	Replay    string
	Story     []string
}

// tooMany states would take too much memory and time.
const tooMany = 1_000_000

// tooLong is how many choices one schedule may take that is not recognised by its
// states: an actor may look for ever.
const tooLong = 2000

// String returns how much was visited.
func (r Findings) String() string {
	return fmt.Sprintf("%d states, %.3g schedules", r.States, r.Schedules)
}

// EveryOrder plays every schedule of a case on a kind of kernel.
func EveryOrder(c Case, flavour simkernel.Flavour) Findings {
	e := &explorer{Case: c, flavour: flavour, states: make(map[[2]uint64]int),
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
	e.todo = []way{{from: unknown, to: unknown}}
	for len(e.todo) > 0 {
		if e.visited > tooMany {
			report := e.report(fmt.Sprintf("more than %d states: make the program smaller", tooMany), nil)
			report.TooLarge = true
			return report
		}
		path := e.todo[len(e.todo)-1]
		e.todo = e.todo[:len(e.todo)-1]
		if path.to != unknown && e.entered[path.to] {
			continue
		}
		if failure, choices := e.visit(path); failure != "" {
			return e.report(failure, choices)
		}
	}
	return e.report("", nil)
}

// visit follows a path and then goes on through new states until an end or a
// known state.
func (e *explorer) visit(path way) (failure string, choices []uint8) {
	r := e.begin(path)
	at, from, quiet := 0, path.from, unknown
	base := path.base
	since := len(r.choices)
	r.choose = func(options int, isQuiet bool) int {
		if at < len(path.choices) {
			choice := path.choices[at]
			at++
			r.trusted = at < len(path.choices)
			r.choices = append(r.choices, choice)
			return int(choice)
		}
		e.beside = r.appendBeside(e.beside[:0])
		id, _ := e.state(r.Kernel, e.beside)
		e.link(from, id)
		if isQuiet && id == quiet {
			r.finish() // nothing but time passes, and it changes nothing
		}
		isNew := !e.entered[id]
		if !isNew && !isQuiet {
			panic(ending{})
		}
		if isQuiet {
			quiet = id
		}
		from = id
		if isNew {
			e.enter(r, id)
			for other := options - 1; other > 0; other-- {
				e.branch(r, way{base, r.choices[since:], id, unknown}, other)
			}
		}
		r.choices = append(r.choices, 0)
		return 0
	}
	r.onStep = func() {
		if at >= len(path.choices) {
			base, since = r.clone(), len(r.choices)
		}
	}
	failure = r.run()
	if failure == "" && r.Tree != nil && len(r.lost()) > 0 {
		e.holes++
	}
	return failure, r.choices
}

func (e *explorer) begin(path way) *Run {
	if path.base != nil {
		r := path.base.clone()
		r.trusted = true
		return r
	}
	r := NewRun(e.Case, e.flavour, nil)
	r.trusted = len(path.choices) > 0
	return r
}

func (e *explorer) link(from, to int) {
	if from != unknown && !slices.Contains(e.next[from], to) {
		e.next[from] = append(e.next[from], to)
	}
}

// enter records that a run chooses how to go on from a state.
func (e *explorer) enter(r *Run, id int) {
	e.entered[id] = true
	e.visited++
	if r.Tree != nil && len(r.lost()) > 0 {
		e.holes++
	}
}

// branch keeps the way to a state and one more choice, unless that choice leads to a
// known state. Then a run has been there, or a way to it is kept.
func (e *explorer) branch(r *Run, path way, choice int) {
	if k, beside := r.peek(choice, e.beside); k != nil {
		id, isNew := e.state(k, beside)
		e.link(path.from, id)
		if !isNew {
			return
		}
		path.to = id
	}
	path.choices = append(slices.Clone(path.choices), uint8(choice))
	e.todo = append(e.todo, path)
}

// state returns the number of the state of a kernel and what is beside it.
func (e *explorer) state(k *simkernel.Kernel, beside []byte) (id int, isNew bool) {
	e.text = append(k.AppendState(e.text[:0]), beside...)
	key := [2]uint64{maphash.Bytes(e.seeds[0], e.text), maphash.Bytes(e.seeds[1], e.text)}
	if id, ok := e.states[key]; ok {
		return id, false
	}
	id = len(e.states)
	e.states[key] = id
	e.next = append(e.next, nil)
	e.entered = append(e.entered, false)
	return id, true
}

func (e *explorer) report(failure string, choices []uint8) Findings {
	report := Findings{States: e.visited, Schedules: e.schedules(), Holes: e.holes, Failure: failure}
	if failure != "" {
		report.Replay = encodeChoices(choices)
		report.Story = Replay(e.Case, e.flavour, choices)
	}
	return report
}

// schedules counts the ways through the graph of states.
func (e *explorer) schedules() float64 {
	if len(e.next) == 0 {
		return 1
	}
	const onPath = unknown - 1
	count := make([]float64, len(e.next))
	for i := range count {
		count[i] = unknown
	}
	type frame struct{ state, next int }
	stack := []frame{{0, 0}}
	count[0] = onPath
	sums := map[int]float64{}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if top.next < len(e.next[top.state]) {
			to := e.next[top.state][top.next]
			top.next++
			switch count[to] {
			case onPath:
			case unknown:
				count[to] = onPath
				stack = append(stack, frame{to, 0})
			default:
				sums[top.state] += count[to]
			}
			continue
		}
		done := top.state
		count[done] = max(1, sums[done])
		delete(sums, done)
		stack = stack[:len(stack)-1]
		if len(stack) > 0 {
			sums[stack[len(stack)-1].state] += count[done]
		}
	}
	return count[0]
}

const choiceDigits = "0123456789abcdefghijklmnopqrstuvwxyz"

func encodeChoices(choices []uint8) string {
	var text strings.Builder
	for _, c := range choices {
		text.WriteByte(choiceDigits[c])
	}
	return strings.TrimRight(text.String(), "0")
}

func decodeChoices(text string) (choices []uint8) {
	for _, c := range text {
		choices = append(choices, uint8(strings.IndexRune(choiceDigits, c)))
	}
	return choices
}

// Replay plays one schedule and returns what happened, line by line. After the
// last choice the tracker goes first.
func Replay(c Case, flavour simkernel.Flavour, choices []uint8) []string {
	at, more, quiet := 0, 0, 0
	var r *Run
	r = NewRun(c, flavour, func(_ int, isQuiet bool) int {
		if at < len(choices) {
			at++
			return int(choices[at-1])
		}
		if more++; more > tooLong {
			panic(ending{})
		}
		if isQuiet {
			if quiet++; quiet > 20 {
				r.finish()
			}
		}
		return 0
	})
	var story []string
	r.Kernel.Story = func(format string, args ...any) { story = append(story, fmt.Sprintf(format, args...)) }
	if failure := r.run(); failure != "" {
		story = append(story, "=> "+failure)
	}
	return story
}

// Play plays one schedule of a case and returns the choices that were made.
func Play(c Case, flavour simkernel.Flavour, choose func(options int) int) (failure string, choices []uint8) {
	quiet := 0
	var r *Run
	r = NewRun(c, flavour, func(options int, isQuiet bool) (choice int) {
		if len(choices) > tooLong {
			panic(ending{})
		}
		if isQuiet {
			if quiet++; quiet > 30 {
				r.finish()
			}
		} else {
			choice = choose(options)
		}
		choices = append(choices, uint8(choice))
		return choice
	})
	return r.run(), choices
}

package tracker

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
)

// An explorer visits every schedule of a case. It does not go on from a state
// that it has been in before. For each way that is left to go, it keeps a copy
// of the run as it was when the tracker began its step, and the choices since.
type explorer struct {
	simCase
	flavour simFlavour
	states  map[[2]uint64]int
	next    [][]int // of each state
	seeds   [2]maphash.Seed
	todo    []simPath
	holes   int
}

// A simPath is the way to a state, and one more choice.
type simPath struct {
	base    *simRun // nil is the beginning
	choices []uint8
	from    int // the state
}

// A simReport says what an exploration found.
type simReport struct {
	states    int
	schedules float64 // ways from the beginning to an end, or around to a state met before
	holes     int     // states in which the documented hole is open
	tooLarge  bool    // not all was visited
	failure   string
	replay    string
	story     []string
}

// tooMany states are more than the machine's memory and everybody's patience.
const tooMany = 500_000

func (r simReport) String() string {
	return fmt.Sprintf("%d states, %.3g schedules", r.states, r.schedules)
}

func explore(c simCase, flavour simFlavour) simReport {
	e := &explorer{simCase: c, flavour: flavour, states: make(map[[2]uint64]int),
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
	e.todo = []simPath{{from: -1}}
	for len(e.todo) > 0 {
		if len(e.states) > tooMany {
			report := e.report(fmt.Sprintf("more than %d states: make the program smaller", tooMany), nil)
			report.tooLarge = true
			return report
		}
		path := e.todo[len(e.todo)-1]
		e.todo = e.todo[:len(e.todo)-1]
		if failure, choices := e.visit(path); failure != "" {
			return e.report(failure, choices)
		}
	}
	return e.report("", nil)
}

// visit follows a path and then goes on into the unknown until an end or a
// known state.
func (e *explorer) visit(path simPath) (failure string, choices []uint8) {
	r := e.begin(path)
	at, from, quiet := 0, path.from, -1
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
		id, isNew := e.state(r)
		e.link(from, id)
		if isQuiet && id == quiet {
			r.finish() // nothing but time passes, and it changes nothing
		}
		if !isNew && !isQuiet {
			panic(simEnd{})
		}
		if isQuiet {
			quiet = id
		}
		from = id
		for other := options - 1; isNew && other > 0; other-- {
			e.todo = append(e.todo, simPath{base, append(slices.Clone(r.choices[since:]), uint8(other)), id})
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
	if failure == "" && r.tree != nil && len(r.lost()) > 0 {
		e.holes++
	}
	return failure, r.choices
}

func (e *explorer) begin(path simPath) *simRun {
	if path.base != nil {
		r := path.base.clone()
		r.trusted = true
		return r
	}
	r := newSimRun(e.simCase, e.flavour, nil)
	r.trusted = len(path.choices) > 0
	return r
}

func (e *explorer) link(from, to int) {
	if from >= 0 && !slices.Contains(e.next[from], to) {
		e.next[from] = append(e.next[from], to)
	}
}

// state returns the number of the state that a run is in.
func (e *explorer) state(r *simRun) (id int, isNew bool) {
	text := r.encode()
	key := [2]uint64{maphash.Bytes(e.seeds[0], text), maphash.Bytes(e.seeds[1], text)}
	if id, ok := e.states[key]; ok {
		return id, false
	}
	id = len(e.states)
	e.states[key] = id
	e.next = append(e.next, nil)
	if r.tree != nil && len(r.lost()) > 0 {
		e.holes++
	}
	return id, true
}

func (e *explorer) report(failure string, choices []uint8) simReport {
	report := simReport{states: len(e.states), schedules: e.schedules(), holes: e.holes, failure: failure}
	if failure != "" {
		report.replay = encodeChoices(choices)
		report.story = replay(e.simCase, e.flavour, choices)
	}
	return report
}

// schedules counts the ways through the graph of states.
func (e *explorer) schedules() float64 {
	if len(e.next) == 0 {
		return 1
	}
	const onPath, unknown = -2, -1
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

// replay plays one schedule and returns what happened, line by line. After the
// last choice the tracker goes first.
func replay(c simCase, flavour simFlavour, choices []uint8) []string {
	at, quiet := 0, 0
	var r *simRun
	r = newSimRun(c, flavour, func(_ int, isQuiet bool) int {
		if at < len(choices) {
			at++
			return int(choices[at-1])
		}
		if isQuiet {
			if quiet++; quiet > 20 {
				r.finish()
			}
		}
		return 0
	})
	var story []string
	r.kernel.story = func(format string, args ...any) { story = append(story, fmt.Sprintf(format, args...)) }
	if failure := r.run(); failure != "" {
		story = append(story, "=> "+failure)
	}
	return story
}

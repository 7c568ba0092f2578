//go:build darwin || linux

package report_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	. "github.com/onsi/gomega"
)

// An entry is an event of a trace as speedscope reads it (src/import/trace-event.ts).
type entry struct {
	Name     string
	Ph       string
	TS, Dur  float64
	PID, TID int
	Args     json.RawMessage
}

// key tells frames apart.
func (e entry) key() string { return e.Name + " " + string(e.Args) }

// A drawing is what speedscope shows of one track.
type drawing struct {
	stack []int              // open slices
	from  map[int]float64    // when a slice began
	drawn map[int][2]float64 // beginning and end
	// complaints are the warnings of the importer.
	complaints []string
}

// draw imports a trace as speedscope does: it takes the slices of each track, turns each
// into a beginning and an end, sorts both queues by time, and takes from their heads. It
// returns the slices of each track and how they are drawn.
func draw(trace []byte) (tracks map[[2]int][]entry, drawings map[[2]int]*drawing) {
	var file struct {
		TraceEvents []map[string]json.RawMessage
		Samples     any
	}
	Expect(json.Unmarshal(trace, &file)).To(Succeed())
	Expect(file.TraceEvents).NotTo(BeEmpty(), "an empty list is no trace")
	Expect(file.Samples).To(BeNil())
	tracks = map[[2]int][]entry{}
	for _, event := range file.TraceEvents {
		Expect(event).To(HaveKey("ph"))
		text, err := json.Marshal(event)
		Expect(err).NotTo(HaveOccurred())
		var e entry
		Expect(json.Unmarshal(text, &e)).To(Succeed())
		Expect(e.Ph).To(BeElementOf("X", "i", "M", "s", "f"))
		if e.Ph == "X" {
			Expect(event).To(And(HaveKey("ts"), HaveKey("dur"), HaveKey("pid"), HaveKey("tid")))
			tracks[[2]int{e.PID, e.TID}] = append(tracks[[2]int{e.PID, e.TID}], e)
		}
	}
	drawings = map[[2]int]*drawing{}
	for track, entries := range tracks {
		drawings[track] = drawTrack(entries)
	}
	return tracks, drawings
}

// An edge is the beginning or the end of a slice.
type edge struct {
	entry
	slice int // index in the list of the slices
}

func drawTrack(entries []entry) *drawing {
	first := entries[0].TS
	for _, e := range entries {
		first = min(first, e.TS)
	}
	var begins, ends []edge
	for i := range entries {
		e := entries[i]
		e.TS -= first
		begins = append(begins, edge{e, i})
	}
	slices.SortStableFunc(begins, func(a, b edge) int { return cmp.Or(cmp.Compare(a.TS, b.TS), cmp.Compare(b.Dur, a.Dur)) })
	for _, b := range begins {
		b.TS += b.Dur
		ends = append(ends, b)
	}
	slices.SortStableFunc(ends, func(a, b edge) int { return cmp.Compare(a.TS, b.TS) })
	d := &drawing{from: map[int]float64{}, drawn: map[int][2]float64{}}
	for len(begins) > 0 || len(ends) > 0 {
		if takesBegin(begins, ends) {
			d.enter(begins[0])
			begins = begins[1:]
			continue
		}
		if len(d.stack) > 0 {
			prefer(ends, entries[d.stack[len(d.stack)-1]])
		}
		d.leave(ends[0], entries)
		ends = ends[1:]
	}
	for _, i := range d.stack {
		d.complaints = append(d.complaints, fmt.Sprintf("%q was still open at the end", entries[i].key()))
	}
	return d
}

// takesBegin reports whether the next edge is the first of begins. Of two edges at the
// same time the beginning is first only if they look as the edges of one slice.
func takesBegin(begins, ends []edge) bool {
	switch {
	case len(ends) == 0:
		return true
	case len(begins) == 0:
		return false
	case begins[0].TS != ends[0].TS:
		return begins[0].TS < ends[0].TS
	}
	return begins[0].key() == ends[0].key()
}

// prefer puts the end that fits the top of the stack first, of those at one time.
func prefer(ends []edge, top entry) {
	for _, fits := range []func(edge) bool{
		func(e edge) bool { return e.key() == top.key() },
		func(e edge) bool { return e.Name == top.Name },
	} {
		for i := 1; i < len(ends) && ends[i].TS <= ends[0].TS; i++ {
			if fits(ends[i]) {
				ends[0], ends[i] = ends[i], ends[0]
				return
			}
		}
	}
}

func (d *drawing) enter(b edge) {
	d.stack = append(d.stack, b.slice)
	d.from[b.slice] = b.TS
}

func (d *drawing) leave(e edge, entries []entry) {
	if len(d.stack) == 0 {
		d.complaints = append(d.complaints, fmt.Sprintf("%q ends with an empty stack", e.key()))
		return
	}
	top := d.stack[len(d.stack)-1]
	if entries[top].Name != e.Name {
		d.complaints = append(d.complaints, fmt.Sprintf("%q ends within %q", e.key(), entries[top].key()))
		return
	}
	d.stack = d.stack[:len(d.stack)-1]
	d.drawn[top] = [2]float64{d.from[top], e.TS}
}

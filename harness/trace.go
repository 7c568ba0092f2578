//go:build darwin || linux

package harness

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gemini-monitor/gemini/harness/internal/terminal"
)

// A traceEvent is one entry of Chrome's trace-event format, which Perfetto
// (ui.perfetto.dev) and speedscope (www.speedscope.app) open. Times are microseconds and
// multiples of tick. speedscope shows slices only, those of each track apart.
type traceEvent struct {
	Name      string         `json:"name"`
	Category  string         `json:"cat,omitempty"`
	Phase     string         `json:"ph"` // X slice, i instant, M metadata, s and f the ends of an arrow
	ID        int            `json:"id,omitempty"`
	Enclosing string         `json:"bp,omitempty"` // e: an arrow ends at the slice around it
	TS        float64        `json:"ts"`
	Dur       *float64       `json:"dur,omitempty"`
	PID       int            `json:"pid"`
	TID       int            `json:"tid"`
	Scope     string         `json:"s,omitempty"`
	Args      map[string]any `json:"args,omitempty"`
}

// tick is the unit of all times of a trace, in microseconds. A power of two: sums of
// times are exact, so that slices which end together still do in a reader that adds
// duration to time.
const tick = 1.0 / 8

// A trace turns a timeline into trace events. Each process is a process there, with a
// thread for each track that has events about it. Events about no process belong to
// the process of the test.
type trace struct {
	began, ended time.Time
	events       []traceEvent
	tracks       map[trackKey]int // thread ids
	named        map[int][]string // names of the tracks of a process
	lives        []span
	again        int // how many slices have a number
}

type trackKey struct {
	pid   int
	track string
}

// traceJSON returns events as a file for Perfetto. Open events and lives end with the
// last event. A slice of the test's track has the whole time: a trace without any slice
// is empty for speedscope.
func traceJSON(events []Event, began time.Time, about map[string]any) ([]byte, error) {
	t := &trace{began: began, ended: began, tracks: map[trackKey]int{}, named: map[int][]string{}}
	for _, e := range events {
		if end := e.Time.Add(e.Took); end.After(t.ended) {
			t.ended = end
		}
	}
	t.slice(trackKey{track: "spec"}, "test", began, t.ended, "test")
	lives := map[trackKey]Event{} // beginnings
	for _, e := range events {
		t.add(e, lives)
	}
	for key, birth := range lives {
		t.lived(span{key, birth.Time, t.ended, birth.Parent}, "alive at the end")
	}
	t.arrows()
	t.nest()
	t.names()
	text, err := json.MarshalIndent(map[string]any{"traceEvents": t.events, "displayTimeUnit": "ms", "otherData": about}, "", " ")
	if err != nil {
		return nil, fmt.Errorf("write the trace: %w", err)
	}
	return text, nil
}

func (t *trace) add(e Event, lives map[trackKey]Event) {
	key := trackKey{e.PID, e.Track}
	name, _, _ := strings.Cut(terminal.Visible(strings.TrimSpace(e.What)), ": ")
	if e.stream != 0 {
		key.track += e.stream.place()
		name = e.stream.sign() + " " + terminal.Visible(strings.TrimSpace(e.What))
	}
	switch {
	case e.open:
		t.slice(key, name, e.Time, t.ended, e.What+": no answer yet")
	case e.Took > 0:
		t.slice(key, name, e.Time, e.Time.Add(e.Took), e.What)
	default:
		t.events = append(t.events, traceEvent{Name: brief(name, 80), Phase: "i", TS: t.micros(e.Time), PID: t.pid(key), TID: t.tid(key), Scope: "t", Args: details(name, e.What)})
	}
	key.track = e.Track
	if birth, alive := lives[key]; e.Life == Ends && alive {
		t.lived(span{key, birth.Time, e.Time, birth.Parent}, e.What)
		delete(lives, key)
	} else if e.Life == Begins && !alive {
		lives[key] = e
	}
}

func (t *trace) slice(key trackKey, name string, from, to time.Time, what string) {
	// A reader may see the end of an empty slice before its beginning.
	duration := max(t.micros(to)-t.micros(from), tick)
	t.events = append(t.events, traceEvent{Name: brief(name, 80), Phase: "X", TS: t.micros(from), Dur: &duration, PID: t.pid(key), TID: t.tid(key), Args: details(name, what)})
}

// details returns the arguments of an event: what, unless the name has all of it.
// speedscope shows them as a part of the name.
func details(name, what string) map[string]any {
	if name == what && brief(name, 80) == name {
		return nil
	}
	return map[string]any{"what": what}
}

func (t *trace) micros(at time.Time) float64 {
	return math.Round(float64(max(at.Sub(t.began), 0).Nanoseconds())/1000/tick) * tick
}

func (t *trace) pid(key trackKey) int {
	if key.pid == 0 {
		return os.Getpid()
	}
	return key.pid
}

// tid returns the thread id of a track. The ids are above all PIDs: Perfetto takes a
// thread with the id of its process for the main thread.
func (t *trace) tid(key trackKey) int {
	if _, known := t.tracks[key]; !known {
		t.tracks[key] = 1<<30 + len(t.tracks)
		t.named[t.pid(key)] = append(t.named[t.pid(key)], key.track)
	}
	return t.tracks[key]
}

// nest sorts events by time, the longer ones first, and cuts a slice that ends after
// the slice around it: the slices of one track must nest. Different goroutines record
// two ends that coincide, so the order of those may be wrong.
func (t *trace) nest() {
	slices.SortStableFunc(t.events, func(a, b traceEvent) int {
		return cmp.Or(cmp.Compare(a.TS, b.TS), cmp.Compare(b.duration(), a.duration()))
	})
	around := map[int][]float64{} // ends of the slices that are open, by track
	alike := map[end]bool{}
	for i, e := range t.events {
		if e.Dur == nil {
			continue
		}
		ends := around[e.TID]
		for len(ends) > 0 && ends[len(ends)-1] <= e.TS {
			ends = ends[:len(ends)-1]
		}
		if len(ends) > 0 {
			*e.Dur = min(*e.Dur, ends[len(ends)-1]-e.TS)
		}
		around[e.TID] = append(ends, e.TS+*e.Dur)
		t.events[i].Args = t.apart(e, alike)
	}
}

// An end is where a slice ends.
type end struct {
	look string // track, name and arguments
	at   float64
}

// apart returns the arguments of a slice, with a number if it begins where a slice that
// looks alike ends. Such a pair is one slice inside the other for speedscope, which
// tells slices by name and arguments. It adds the end of the slice to ends.
func (t *trace) apart(e traceEvent, ends map[end]bool) map[string]any {
	look, args := fmt.Sprint(e.TID, e.Name, e.Args), e.Args
	if ends[end{look, e.TS}] {
		t.again++
		args = map[string]any{"again": t.again}
		maps.Copy(args, e.Args)
	}
	ends[end{look, e.TS + *e.Dur}] = true
	return args
}

func (e traceEvent) duration() float64 {
	if e.Dur == nil {
		return -1
	}
	return *e.Dur
}

// names adds the names of processes and tracks.
func (t *trace) names() {
	for pid, tracks := range t.named {
		name := strings.Join(tracks, ", ")
		if pid == os.Getpid() {
			name = "the test"
		}
		t.events = append(t.events, traceEvent{Name: "process_name", Phase: "M", PID: pid, Args: map[string]any{"name": name}})
	}
	for key, tid := range t.tracks {
		t.events = append(t.events, traceEvent{Name: "thread_name", Phase: "M", PID: t.pid(key), TID: tid, Args: map[string]any{"name": key.track}})
	}
}

package monitor

import (
	"strconv"
	"time"

	"github.com/gemini-monitor/gemini/internal/plainjson"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// plainText returns the text of a record as encoding/json writes it, which prepares the type
// first (see [plainjson]). It is not ok where the record has more than that of a new runtime, or
// a text that is not plain.
func (r Record) plainText() (text []byte, ok bool) {
	if r.Reason != "" || r.Monitor != nil || len(r.Strangers) > 0 || len(r.OnEmpty) > 0 || r.OnEmptyRuns > 0 ||
		r.Limits != (Limits{}) || r.Ending != nil || !r.IdleSince.IsZero() || r.Created.Location() != time.UTC || r.Made.Location() != time.UTC {
		return nil, false
	}
	w := plainWriter{text: make([]byte, 0, 1<<10), plain: true}
	w.text = append(w.text, "{\n"...)
	w.number("version", r.Version)
	w.word("name", r.Name)
	w.word("state", string(r.State))
	w.identity("owner", r.Owner)
	w.key("monitor")
	w.text = append(w.text, "null"...)
	w.words("marks", r.Marks)
	w.words("command", r.Command)
	w.wordIf("started_in", r.StartedIn)
	w.number("user", r.User)
	w.wordIf("host", r.Host)
	w.wordIf("machine", r.Machine)
	w.word("created", r.Created.Format(time.RFC3339Nano))
	if r.Durable {
		w.key("durable")
		w.text = append(w.text, "true"...)
	}
	if !r.Made.IsZero() {
		w.word("made", r.Made.Format(time.RFC3339Nano))
	}
	w.text = append(w.text, "\n}\n"...)
	return w.text, w.plain
}

// A plainWriter writes the fields of an object, each on a line of its own.
type plainWriter struct {
	text  []byte
	plain bool // so far
}

// key begins a field.
func (w *plainWriter) key(name string) {
	if len(w.text) > len("{\n") {
		w.text = append(w.text, ",\n"...)
	}
	w.text = append(append(append(w.text, `  "`...), name...), `": `...)
}

func (w *plainWriter) number(name string, n int) {
	w.key(name)
	w.text = strconv.AppendInt(w.text, int64(n), 10)
}

func (w *plainWriter) word(name, value string) {
	w.key(name)
	w.quote(value)
}

func (w *plainWriter) wordIf(name, value string) {
	if value != "" {
		w.word(name, value)
	}
}

func (w *plainWriter) words(name string, all []string) {
	if len(all) == 0 {
		return
	}
	w.key(name)
	between := "[\n    "
	for _, value := range all {
		w.text = append(w.text, between...)
		w.quote(value)
		between = ",\n    "
	}
	w.text = append(w.text, "\n  ]"...)
}

func (w *plainWriter) identity(name string, id process.Identity) {
	w.key(name)
	w.text = append(w.text, "{\n    \"pid\": "...)
	w.text = strconv.AppendInt(w.text, int64(id.PID), 10)
	if id.Start != 0 {
		w.text = append(w.text, ",\n    \"start\": "...)
		w.text = strconv.AppendInt(w.text, int64(id.Start), 10)
	}
	w.text = append(w.text, ",\n    \"boot\": "...)
	w.quote(id.Boot)
	w.text = append(w.text, "\n  }"...)
}

// quote writes a text. It is plain if JSON has it as it is.
func (w *plainWriter) quote(value string) {
	w.plain = w.plain && plainjson.Has(value)
	w.text = append(append(append(w.text, '"'), value...), '"')
}

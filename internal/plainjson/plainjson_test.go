package plainjson_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/gemini-monitor/gemini/internal/plainjson"
)

// FuzzHas checks that encoding/json writes a text that is plain as it is.
func FuzzHas(f *testing.F) {
	for _, text := range []string{"", "a b", "\x1f", " ", "~", "\x7f", `"`, `\`, "<&>", "é", "\xff", "\u2028"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var written bytes.Buffer
		encoder := json.NewEncoder(&written)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(text); err != nil {
			t.Fatal(err)
		}
		asItIs := written.String() == `"`+text+"\"\n"
		if plainjson.Has(text) && !asItIs {
			t.Errorf("%q is written as %s", text, written.String())
		}
	})
}

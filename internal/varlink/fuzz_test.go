package varlink

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
)

// pieces is a source that returns some bytes in pieces of a size, and then its end.
type pieces struct {
	left []byte
	size int
}

func (p *pieces) SetReadDeadline(time.Time) error { return nil }

func (p *pieces) Read(into []byte) (int, error) {
	n := copy(into[:min(len(into), p.size)], p.left)
	p.left = p.left[n:]
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// reader returns a frame reader for requests of so many bytes at most.
func reader(text []byte, size, most int) *frames {
	return &frames{
		source: &pieces{text, size}, most: most, rest: time.Hour,
		patience: func() time.Duration { return time.Hour }, begun: func() {},
	}
}

// FuzzFrames checks that the reader returns what is between zero bytes, however the bytes
// come, and no more than fits; that it ends with an error that fits what was left; and that
// its buffer stays small.
func FuzzFrames(f *testing.F) {
	for _, text := range []string{
		"", "\x00", "{}\x00", "{}\x00{}\x00", "{\"a\":1}\x00 {\x00", "{", "  ", "x\x00", "[]\x00{}\x00", "\x00\x00",
		strings.Repeat("{", 40) + "\x00", strings.Repeat("{", 30), "{}\x00" + strings.Repeat(" ", 50),
	} {
		f.Add([]byte(text), 1, 32)
		f.Add([]byte(text), 7, 32)
		f.Add([]byte(text), 4096, 8)
	}
	f.Fuzz(func(t *testing.T, text []byte, size, most int) {
		size, most = 1+abs(size)%5000, 1+abs(most)%5000
		r, rest := reader(text, size, most), text
		for {
			got, err := r.next()
			want, after, whole := bytes.Cut(rest, []byte{0})
			if cap(r.buffer) > 2*most+4*firstRoom+size {
				t.Fatalf("the buffer has %d bytes for requests of %d", cap(r.buffer), most)
			}
			if err == nil {
				if !whole || !bytes.Equal(got, want) || len(got) > most {
					t.Fatalf("got %q of %q", got, rest)
				}
				rest = after
				continue
			}
			switch {
			case errors.Is(err, errLong) && len(want) > most:
			case errors.Is(err, errBegin) && !mayBegin(want):
			case errors.Is(err, errHalf) && !whole && len(rest) > 0:
			case err == io.EOF && len(rest) == 0:
			default:
				t.Fatalf("%v, with %q left", err, rest)
			}
			return
		}
	})
}

func abs(n int) int { return max(n, -(n + 1)) }

// FuzzRequest checks that a request which is accepted has a method with an interface and an
// object of parameters, and is read again from what an encoder makes of it.
func FuzzRequest(f *testing.F) {
	for _, text := range []string{
		"", "{}", "null", "[]", `{"method":"a.b"}`, `{"method":"a.b","parameters":{"x":[1,{"y":null}]}}`,
		`{"method":"a.b","parameters":null,"more":true}`, `{"method":"a.b","oneway":true,"new":1}`, `{"method":".b"}`,
		`{"method":"a.b","upgrade":true}`, `{"method":"a.b"}x`, `{"method":"a.b","parameters":[]}`, `{"METHOD":"a.b"}`,
		`{"method":"\ud800.b"}`, "{\"method\":\"\xff.b\"}", `{"method":"a.b","method":"c"}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parse(text)
		if err != nil {
			if err.Error() == "" || !reflect.DeepEqual(m, message{}) {
				t.Fatalf("refused %q with %v and %+v", text, err, m)
			}
			return
		}
		if object, name := split(m.Method); object == "" || name == "" || object+"."+name != m.Method {
			t.Fatalf("accepted the method %q", m.Method)
		}
		if len(m.Parameters) > 0 && !json.Valid(m.Parameters) || m.Upgrade {
			t.Fatalf("accepted %+v", m)
		}
		encoded, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parse(encoded)
		if err != nil || again.Method != m.Method || again.Oneway != m.Oneway || again.More != m.More {
			t.Fatalf("%+v became %+v, %v", m, again, err)
		}
		var in any
		if err := (&Request{Method: m.Method, parameters: m.Parameters}).Decode(&in); err != nil {
			t.Fatalf("the parameters %q: %v", m.Parameters, err)
		}
	})
}

// FuzzReply checks that a reply is an answer, an error with a name, or refused, and no less so
// where its parameters are not read.
func FuzzReply(f *testing.F) {
	for _, text := range []string{
		"", "{}", "null", "[]", `{"parameters":{"text":"a"}}`, `{"parameters":{"text":1}}`, `{"error":"a.b"}`,
		`{"error":"a.b","parameters":{"reason":"late"}}`, `{"error":"a.b","parameters":{"reason":1}}`, `{"error":1}`, `{"parameters":7}`,
		`{"Error":"a.b"}`, `{"\u0065rror":"a.b"}`, `{"parameters":{"a":"error"}}`, `{}{}`, ` {}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var out struct{ Text string }
		err := decodeReply(text, &out)
		var any json.RawMessage
		read, unread := decodeReply(text, &any), decodeReply(text, nil)
		if (read == nil) != (unread == nil) {
			t.Fatalf("%q is %v, and %v where nothing is read", text, read, unread)
		}
		if err == nil || errors.Is(err, errReply) {
			return
		}
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Name == "" || !strings.HasPrefix(e.Error(), e.Name) {
			t.Fatalf("%q is %v", text, err)
		}
	})
}

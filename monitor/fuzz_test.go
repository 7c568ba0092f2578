package monitor

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// The fuzz targets feed arbitrary bytes to what reads the store: the record, the
// journal and the names of stages. With their seeds they run as ordinary tests;
// "make fuzz" draws more.

// FuzzRecord checks that a record that is accepted is written and read back
// without a change.
func FuzzRecord(f *testing.F) {
	for _, seed := range []string{
		"",
		"[1]",
		`{"version":1,"name":"build","own`,
		`{"version":2,"name":"build","owner":{"pid":4711}}`,
		`{"version":1,"name":"build","owner":{"pid":-1}}`,
		`{"version":1,"name":"build","owner":{"pid":4711}}`,
		`{"version":1,"name":"b\ud800","state":"running","owner":{"pid":1,"start":18446744073709551615,"boot":"b"},"monitor":null}`,
		`{"version":1,"name":"build","state":"unknown","reason":"a <b> & c","owner":{"pid":4711,"start":12345,"boot":"this one"},` +
			`"monitor":{"pid":4712,"start":12346,"boot":"this one"},"command":["make","-j8","","two\nlines"],"directory":"/src",` +
			`"user":501,"host":"box","machine":"m","created":"2026-01-02T03:04:05.678901234+01:00"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		path := filepath.Join(dir, recordFile)
		put(t, path, text)
		first, err := readRecord(dir)
		if !bytes.Equal(get(t, path), text) {
			t.Fatal("reading has changed the file")
		}
		if err != nil {
			return
		}
		if err := first.write(dir); err != nil {
			t.Fatalf("an accepted record cannot be written: %v", err)
		}
		written := get(t, path)
		second, err := readRecord(dir)
		if err != nil {
			t.Fatalf("a written record is refused: %v\n%s", err, written)
		}
		if !second.Created.Equal(first.Created) {
			t.Fatalf("created %v, and read back %v", first.Created, second.Created)
		}
		second.Created = first.Created // a zone of the same offset may have another name
		if !reflect.DeepEqual(first, second) {
			t.Fatalf("written %+v, and read back %+v", first, second)
		}
	})
}

// FuzzJournal checks that a journal is whole up to the end of a line, that it is
// cut off there, and that what is kept, mended, continued and rewritten has the
// same members.
func FuzzJournal(f *testing.F) {
	joined := `{"time":"2026-01-02T12:00:00Z","event":"joined","member":{"pid":11,"start":5,"boot":"now","parent":1,"group":9,"session":9,` +
		`"user":0,"state":"running","command":"cc","link":{"kind":"parent","through":{"pid":10,"start":4,"boot":"now"}},"joined":"2026-01-02T12:00:00Z"}}`
	leader := `{"time":"2026-01-02T12:00:00Z","event":"joined","member":{"pid":9,"start":3,"boot":"now","state":"zombie"}}`
	left := `{"event":"left","member":{"pid":9,"start":3,"boot":"now","state":"running"}}`
	for _, seed := range []string{
		"",
		"\n",
		"{}",
		"{}\n",
		"{}\n?\n{}\n",
		joined,
		joined + "\n" + joined + "\n",
		leader + "\n" + joined + "\n" + left + "\n",
		leader + "\n" + left[:30],
		`{"event":"joined","member":4711}` + "\n",
		`{"event":"joined","member":{"pid":1,"state":"walking"}}` + "\n",
		`{"event":"joined","member":{"joined":"0000-01-01T00:00:00+23:59"}}` + "\n",
		`{"time":"2026-01-02T12:00:00Z","event":"unreadable","reason":"no memory"}` + "\r\n",
		`{"event":"state","state":"running"}` + "\n" + joined + "\n",
		`{"event":"shortened","state":"unknown","reason":"why","before":7,"kept":2}` + "\n" + joined + "\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), journalFile)
		put(t, path, text)
		read, err := readCast(path)
		if !bytes.Equal(get(t, path), text) {
			t.Fatal("reading has changed the file")
		}
		if err != nil {
			if _, err := openJournal(path); err == nil {
				t.Fatal("a broken journal was opened")
			}
			return
		}
		kept := text[:bytes.LastIndexByte(text, '\n')+1]
		mended := reopen(t, path)
		if whole := mended.extent; whole.bytes != int64(len(kept)) || whole.lines != bytes.Count(kept, []byte("\n")) {
			t.Fatalf("%+v is whole of %q", whole, text)
		}
		if now := get(t, path); !bytes.Equal(now, kept) {
			t.Fatalf("%q was cut to %q", text, now)
		}
		sameCast(t, "mended", read, mended.cast)
		continueJournal(t, mended)
		sameCast(t, "continued", mended.cast, reopen(t, path).cast)
		if mended.rewrite() == nil { // a year that RFC 3339 does not have cannot be written
			sameCast(t, "rewritten", mended.cast, reopen(t, path).cast)
		}
	})
}

// continueJournal appends a member that the journal does not have yet, and checks
// that the file is a line longer.
func continueJournal(t *testing.T, j *journal) {
	t.Helper()
	newcomer := trees.Member{Process: process.Process{Identity: process.Identity{PID: 4711, Boot: "newcomer"}}}
	if _, known := j.members[newcomer.Identity]; known {
		return
	}
	before := j.lines
	if err := j.append([]trees.Change{{Kind: trees.Joined, Time: time.Unix(0, 0), Member: newcomer}}); err != nil {
		t.Fatalf("a mended journal cannot be continued: %v", err)
	}
	if j.lines != before+1 {
		t.Fatalf("%d lines, and %d after one entry more", before, j.lines)
	}
}

// FuzzStage checks that the maker is read back from the name of its stage, also with
// what os.MkdirTemp adds. The name is one element of a path, and no name of a
// runtime.
func FuzzStage(f *testing.F) {
	f.Add(4711, int64(12345), "5f0e3c2a-1111-2222-3333-444455556666", "a5c1/box", "123456789")
	f.Add(1, int64(0), "boot/time:[1]", "", "")
	f.Add(-1, int64(-1)<<63, "%41, -\x00\xff\n", ",", ",")
	f.Add(0, int64(7), "..", "\x00/", "-1-2-x,")
	f.Fuzz(func(t *testing.T, pid int, start int64, boot, machine, random string) {
		if boot == "" {
			return // no process is without a boot
		}
		maker := process.Identity{PID: pid, Start: process.StartTime(start), Boot: boot}
		name := stageOf(maker, machine)
		if read, word, ok := makerOf(name + random); !ok || read != maker || word != wordFor(machine) {
			t.Fatalf("%q gives %+v, %q (%v), not %+v", name+random, read, word, ok, maker)
		}
		if filepath.Base(name) != name || validName(name) {
			t.Fatalf("%q is a path, or a name of a runtime", name)
		}
	})
}

// FuzzMaker checks that a maker that is read from any name is read from the name of
// its stage too.
func FuzzMaker(f *testing.F) {
	for _, seed := range []string{
		"", "build", ".new-", ".new-x", ".new-x,", ".new-1-1", ".new-1-1,", ".new-1-1-%x,", ".DS_Store",
		".new-1-2-b,3", ".new-1-2-b,3,4", ".new-+1-2-b,", ".new-1-2-a b,", ".new--1--2--b-,", ".new-1-2-%2C,", ".new-99999999999999999999-1-b,",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		maker, _, ok := makerOf(name)
		if !ok {
			return
		}
		if again, _, ok := makerOf(stageOf(maker, "")); !ok || again != maker {
			t.Fatalf("%q gives %+v, and its stage %+v (%v)", name, maker, again, ok)
		}
	})
}

func put(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// reopen opens a journal until the test ends.
func reopen(t *testing.T, path string) *journal {
	t.Helper()
	j, err := openJournal(path)
	if err != nil {
		t.Fatalf("an accepted journal cannot be opened: %v", err)
	}
	t.Cleanup(func() { j.close() })
	return j
}

// sameCast compares the identities and links of members, and the identities of
// former members.
func sameCast(t *testing.T, what string, want, got cast) {
	t.Helper()
	links := func(c cast) map[process.Identity]trees.Link {
		all := make(map[process.Identity]trees.Link)
		for id, m := range c.members {
			all[id] = m.Link
		}
		return all
	}
	if !maps.Equal(links(want), links(got)) {
		t.Fatalf("%s: members %v, and then %v", what, links(want), links(got))
	}
	sameKey := func(*trees.Member, *trees.Member) bool { return true }
	if !maps.EqualFunc(want.former, got.former, sameKey) {
		t.Fatalf("%s: former members %v, and then %v", what, want.former, got.former)
	}
}

package process

import (
	"encoding/binary"
	"fmt"
	"os"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// FuzzStat checks that parseStat never panics, that the PID of a row that it accepts is
// positive, and that it reads the same row from the line that lineOf makes of it.
func FuzzStat(f *testing.F) {
	self, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(self)
	for _, command := range []string{"bash", "", "a b c", "a) Z 1 2 3", "(sd-pam)", ")(", "a\nb", "\xff\xfe"} {
		f.Add(statLine(command, "S", 1))
	}
	for _, state := range []string{"R", "D", "T", "t", "Z", "X"} {
		f.Add(statLine("x", state, 1))
		f.Add(statLine("x", state, 0))
		f.Add(statLine("x", state, 2))
	}
	for _, seed := range []string{"", "47", "4711 (ba", "4711 (bash)", "4711 )bash("} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		p, err := parseStat(line)
		if err != nil {
			if p != (Row{}) {
				t.Fatalf("%+v beside the error %v", p, err)
			}
			return
		}
		if p.PID <= 0 {
			t.Fatalf("accepted %+v", p)
		}
		if again, err := parseStat(lineOf(p)); err != nil || again != p {
			t.Fatalf("%+v became %+v, %v", p, again, err)
		}
	})
}

// lineOf makes a line of /proc/PID/stat from a row.
func lineOf(p Row) []byte {
	letter, threads := "S", 1
	switch {
	case p.Headless:
		letter, threads = "Z", 2
	case p.State == Zombie:
		letter = "Z"
	case p.State == Stopped:
		letter = "T"
	}
	return fmt.Appendf(nil, "%d (%s) %s %d %d %d 0 0 0 0 0 0 0 0 0 0 0 0 0 %d 0 %d\n",
		p.PID, p.Command, letter, p.Parent, p.Group, p.Session, threads, p.Start)
}

// FuzzDirectory checks that cutEntry never panics, that it comes to an end, and that it
// reads the same name from the entry that entryOf makes of it.
func FuzzDirectory(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(entryOf("."))
	f.Add(append(entryOf("1"), entryOf("self")...))
	f.Add(append(entryOf("4711"), entryOf("")...))
	f.Add(entryOf("4711")[:20])
	f.Fuzz(func(t *testing.T, entries []byte) {
		for len(entries) > 0 {
			name, rest, ok := cutEntry(entries)
			if !ok {
				return
			}
			if len(name) == 0 || len(rest) >= len(entries) {
				t.Fatalf("cut %q from %q, which leaves %q", name, entries, rest)
			}
			again, none, ok := cutEntry(entryOf(string(name)))
			if !ok || string(again) != string(name) || len(none) != 0 {
				t.Fatalf("%q became %q, with %q after it", name, again, none)
			}
			entries = rest
		}
	})
}

// entryOf makes a struct linux_dirent64, padded to a multiple of eight as the kernel does.
func entryOf(name string) []byte {
	size := (19 + len(name) + 1 + 7) &^ 7
	e := make([]byte, size)
	binary.NativeEndian.PutUint16(e[16:], uint16(size))
	copy(e[19:], name)
	return e
}

var _ = Describe("A block of directory entries", func() {
	It("is cut into all of its names", func() {
		var all []byte
		for pid := range 1000 {
			all = append(all, entryOf(fmt.Sprint(pid))...)
		}
		for pid := range 1000 {
			name, rest, ok := cutEntry(all)
			Expect(ok).To(BeTrue(), "entry %d", pid)
			Expect(string(name)).To(Equal(fmt.Sprint(pid)))
			all = rest
		}
		Expect(all).To(BeEmpty())
	})

	DescribeTable("is refused", func(damage func(entry []byte) []byte) {
		_, _, ok := cutEntry(damage(entryOf("4711")))
		Expect(ok).To(BeFalse())
	},
		Entry("when it is cut", func(entry []byte) []byte { return entry[:len(entry)-1] }),
		Entry("when it is shorter than its head", func(entry []byte) []byte { return entry[:18] }),
		Entry("when it has no size", func(entry []byte) []byte { entry[16] = 0; return entry }),
		Entry("when its name is empty", func(entry []byte) []byte { entry[19] = 0; return entry }),
		Entry("when its name does not end", func(entry []byte) []byte { entry[16] = 23; return entry[:23] }),
	)
})

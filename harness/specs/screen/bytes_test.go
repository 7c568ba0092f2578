package screen_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness/internal/screen"
)

// pieces are what random output consists of: they reach more than random bytes do.
var pieces = strings.Fields(`\e[ \e[ \e[? \e] \e 0 1 2 5 9 99 999999999 ; : H J K L M P S T X @ r s u h l m A B C D E F G I Z
	a b \r \n \t \b 日 本 ` + "\u0301 \u200d \ufe0f 👩 🚀 🇩 \x85" + ` 6h 7l 4h 20h 1049h 1049l 47h d g f c M 7 8 #8 (0 \x0e \xff \xc3 \a \e\\ $p b ! q n 38;5; 48:2: \x00 \x18`)

var unescape = strings.NewReplacer(`\e`, "\x1b", `\r`, "\r", `\n`, "\n", `\t`, "\t", `\b`, "\b", `\a`, "\a",
	`\x0e`, "\x0e", `\xff`, "\xff", `\xc3`, "\xc3", `\x00`, "\x00", `\x18`, "\x18", `\\`, `\`)

func output(r *rand.Rand, count int) string {
	var all strings.Builder
	for range count {
		all.WriteString(unescape.Replace(pieces[r.IntN(len(pieces))]))
	}
	return all.String()
}

// check gives output to two screens, in one piece and in two around a change of the
// size, and returns what is wrong with them.
func check(first, second []byte, rows, columns, rowsThen, columnsThen, cut int) error {
	whole, split := screen.New(rows, columns), screen.New(rows, columns)
	whole.Write(first)
	split.Write(first[:cut])
	split.Write(first[cut:])
	if whole.ANSI() != split.ANSI() {
		return fmt.Errorf("%q is shown as %q, but as %q if it is split at %d", first, whole.ANSI(), split.ANSI(), cut)
	}
	whole.Resize(rowsThen, columnsThen)
	whole.Write(second)
	row, column := whole.Cursor()
	if row < 1 || row > max(rowsThen, 1) || column < 1 || column > max(columnsThen, 1) {
		return fmt.Errorf("the cursor is at %d, %d of %d, %d", row, column, rowsThen, columnsThen)
	}
	if text := whole.Text(); !utf8.ValidString(text) || strings.Count(text, "\n") >= max(rowsThen, 1) || strings.ContainsAny(text, "\x1b\r\a") {
		return fmt.Errorf("%q and %q are shown as %q", first, second, text)
	}
	whole.Replies()
	return nil
}

var _ = Describe("A screen that gets any output", func() {
	It("keeps its cursor and its text in its size, however the output is split", func() {
		r := rand.New(rand.NewPCG(uint64(GinkgoRandomSeed()), 0))
		for range 5000 {
			size := func() int { return 1 + r.IntN(12) }
			first, second := output(r, r.IntN(60)), output(r, r.IntN(60))
			Expect(check([]byte(first), []byte(second), size(), size(), size(), size(), r.IntN(len(first)+1))).To(Succeed())
		}
	})
})

func FuzzScreen(f *testing.F) {
	for i := range 20 {
		r := rand.New(rand.NewPCG(uint64(i), 1))
		f.Add([]byte(output(r, 30)), []byte(output(r, 30)), uint8(4), uint8(10), uint8(3), uint8(7), uint8(i))
	}
	f.Fuzz(func(t *testing.T, first, second []byte, rows, columns, rowsThen, columnsThen, cut uint8) {
		if err := check(first, second, int(rows), int(columns), int(rowsThen), int(columnsThen), min(int(cut), len(first))); err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkScreen(b *testing.B) {
	text := []byte(strings.Repeat("\x1b[32mhello\x1b[0m world, this is a line of text\r\n", 22))
	s := screen.New(24, 80)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		s.Write(text)
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		screen.New(24, 80)
	}
}

package screen_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness/internal/screen"
)

// showing returns a screen of 4 rows of 10 columns that has got some output.
func showing(output string) *screen.Screen {
	s := screen.New(4, 10)
	fmt.Fprint(s, output)
	return s
}

var _ = Describe("A screen", func() {
	DescribeTable("shows what a user sees", func(output, text string) {
		Expect(showing(output).Text()).To(Equal(text))
	},
		Entry("nothing", "", ""),
		Entry("rows without the blanks at their ends", "a  \r\n\r\n b\r\n ", "a\n\n b"),
		Entry("text that overwrites text", "Apply old\x1b[7Gnew", "Apply new"),
		Entry("a bar that returns", "10%\r99%", "99%"),
		Entry("a backspace", "ac\bbc", "abc"),
		Entry("a newline without a return", "a\nb", "a\n b"),
		Entry("tabs", "a\tb\x1b[3g\r\n\x1b[4C\x1bH\r\tc\x1b[Zd", "a       b\n    d"),
		Entry("every move", "\x1b[2;3Ha\x1b[Ab\x1b[2Bc\x1b[4Dd\x1b[Ce\x1b[Ff\x1b[Eg\x1b[4dh\x1b[Gi", "   b\nf a\ngd ec\nih"),
		Entry("a move beyond the edges", "\x1b[99;99Ha\x1b[99A\x1b[99Db\x1b[99B\x1b[99Cc", "b\n\n\n         c"),
		Entry("a saved cursor", "\x1b[2;2H\x1b7\x1b[Ha\x1b8b\x1b[s\x1b[Hc\x1b[ud", "c\n bd"),
		Entry("a repeated character", "a\x1b[3bb", "aaaab"),
		Entry("a reset", "a\x1b[?7l\x1bcb", "b"),
	)

	DescribeTable("wraps and scrolls", func(output, text string) {
		Expect(showing(output).Text()).To(Equal(text))
	},
		Entry("a long line", "abcdefghijkl", "abcdefghij\nkl"),
		Entry("a full row only before the next character", "abcdefghij\r\nk", "abcdefghij\nk"),
		Entry("not a full row that the cursor leaves", "abcdefghij\bX", "abcdefghXj"),
		Entry("not without autowrap", "\x1b[?7labcdefghijkl", "abcdefghil"),
		Entry("at the bottom", "a\r\nb\r\nc\r\nd\r\ne", "b\nc\nd\ne"),
		Entry("a long line at the bottom", "a\r\nb\r\nc\r\nabcdefghijk", "b\nc\nabcdefghij\nk"),
		Entry("back at the top", "a\r\nb\x1b[H\x1bMc", "c\na\nb"),
		Entry("in a region", "a\r\nb\r\nc\r\nd\x1b[2;3r\x1b[3;1H\nX", "a\nc\nX\nd"),
		Entry("back in a region", "a\r\nb\r\nc\r\nd\x1b[2;3r\x1b[2;1H\x1bMX", "a\nX\nb\nd"),
		Entry("not below a region", "a\r\nb\r\nc\r\nd\x1b[2;3r\x1b[4;1H\nX", "a\nb\nc\nX"),
		Entry("a region from its own origin", "a\r\nb\r\nc\r\nd\x1b[2;3r\x1b[?6h\x1b[HX\x1b[9;1HY", "a\nX\nY\nd"),
		Entry("a region that is higher than the screen", "\x1b[1;9r\x1b[H\x1bMa", "a"),
		Entry("as told", "a\r\nb\r\nc\x1b[S\x1b[T", "\nb\nc"),
	)

	DescribeTable("erases, inserts and deletes", func(output, text string) {
		Expect(showing(output).Text()).To(Equal(text))
	},
		Entry("to the end of the row", "abcdef\x1b[3G\x1b[K", "ab"),
		Entry("to the cursor", "abcdef\x1b[3G\x1b[1K", "   def"),
		Entry("a row", "abcdef\x1b[3G\x1b[2Kx", "  x"),
		Entry("to the end", "abc\r\ndef\r\nghi\x1b[2;2H\x1b[J", "abc\nd"),
		Entry("from the beginning", "abc\r\ndef\r\nghi\x1b[2;2H\x1b[1J", "\n  f\nghi"),
		Entry("all", "abc\r\ndef\x1b[2Jx", "\n   x"),
		Entry("not what was scrolled off", "abc\x1b[3J", "abc"),
		Entry("some columns", "abcdef\x1b[3G\x1b[2X", "ab  ef"),
		Entry("columns out", "abcdef\x1b[3G\x1b[2P", "abef"),
		Entry("columns in", "abcdefghij\x1b[3G\x1b[2@", "ab  cdefgh"),
		Entry("in insert mode", "abc\x1b[G\x1b[4hX\x1b[4lY", "XYbc"),
		Entry("rows in", "a\r\nb\r\nc\r\nd\x1b[2H\x1b[2L", "a\n\n\nb"),
		Entry("rows out", "a\r\nb\r\nc\r\nd\x1b[2H\x1b[2M", "a\nd"),
	)

	DescribeTable("has characters of all widths", func(output, text string, column int) {
		s := showing(output)
		Expect(s.Text()).To(Equal(text))
		_, at := s.Cursor()
		Expect(at).To(Equal(column))
		byByte := showing("")
		for i := range len(output) {
			fmt.Fprint(byByte, output[i:i+1])
		}
		Expect(byByte.ANSI()).To(Equal(s.ANSI()), "byte by byte")
	},
		Entry("wide", "日本", "日本", 5),
		Entry("wide that does not fit", "aaaaaaaaa日", "aaaaaaaaa\n日", 3),
		Entry("wide to the end", "日本語日本語x", "日本語日本\n語x", 4),
		Entry("wide cut on the left", "日本\x1b[2Gx", " x本", 3),
		Entry("wide cut on the right", "日本\x1b[3Gx", "日x", 4),
		Entry("wide cut by erasing", "日本\x1b[2G\x1b[X", "  本", 2),
		Entry("wide cut by deletion", "日本x\x1b[2G\x1b[P", "  本x"[1:], 2),
		Entry("combining", "e\u0301x", "e\u0301x", 3),
		Entry("combining at the end of a row", "aaaaaaaaae\u0301x", "aaaaaaaaae\u0301\nx", 2),
		Entry("combining after a style", "e\x1b[m\u0301x", "e\u0301x", 3),
		Entry("combining with nothing", "\u0301x", "x", 2),
		Entry("emoji of several", "👩‍🚀👍🏽x", "👩‍🚀👍🏽x", 6),
		Entry("flags", "🇩🇪🇫🇷x", "🇩🇪🇫🇷x", 6),
		Entry("made wide by a selector", "☁\ufe0fx", "☁\ufe0fx", 4),
		Entry("line drawing", "\x1b(0lqk\x1b(Bq\x1b)0\x0ex\x0fx", "┌─┐q│x", 7),
		Entry("not UTF-8", "a\xff\xc3b", "a\ufffd\ufffdb", 5),
	)

	It("has an alternate screen, and the main one as it was", func() {
		s := showing("main\x1b[?1049h\x1b[Halternate")
		Expect(s.Text()).To(Equal("alternate"))
		fmt.Fprint(s, "\x1b[?1049l!")
		Expect(s.Text()).To(Equal("main!"))
		fmt.Fprint(s, "\x1b[?1049h")
		Expect(s.Text()).To(BeEmpty())
		fmt.Fprint(s, "\x1b[?1049h\x1b[?1049l")
		Expect(s.Text()).To(Equal("main!"))
	})

	It("counts the cursor from 1", func() {
		row, column := showing("").Cursor()
		Expect([]int{row, column}).To(Equal([]int{1, 1}))
		row, column = showing("\x1b[3;7H").Cursor()
		Expect([]int{row, column}).To(Equal([]int{3, 7}))
	})

	It("does not show titles and other strings", func() {
		Expect(showing("a\x1b]0;title\ab\x1b]133;D;0\x1b\\c\x1bPq#0\x1b\\d\x1b_x\x1b\\e\x1b[?2026hf").Text()).To(Equal("abcdef"))
	})

	It("changes its size: rows are cut at the top, columns on the right", func() {
		s := showing("one\r\ntwo\r\nthree\r\n日本四")
		s.Resize(2, 5)
		Expect(s.Text()).To(Equal("three\n日本"))
		fmt.Fprint(s, "x")
		Expect(s.Text()).To(Equal("three\n日本x"))
		s.Resize(3, 10)
		fmt.Fprint(s, "y\x1b[3;10Hz")
		Expect(s.Text()).To(Equal("three\n日本xy\n         z"))
	})

	It("changes the size of the screen that is not shown, too", func() {
		s := showing("one\r\ntwo\r\nthree\r\nfour\x1b[?1049h")
		s.Resize(2, 20)
		fmt.Fprint(s, "\x1b[?1049l!")
		Expect(s.Text()).To(Equal("three\nfour!"))
	})

	It("limits the size", func() {
		for _, n := range []int{-1, 0} {
			s := screen.New(n, n)
			fmt.Fprint(s, "a日")
			s.Resize(n, n)
			Expect(s.Text()).To(Equal("日"))
		}
		s := screen.New(1<<30, 1<<30)
		fmt.Fprint(s, "\x1b[99999;99999H")
		row, column := s.Cursor()
		Expect([]int{row, column}).To(Equal([]int{1000, 1000}))
	})

	DescribeTable("has colours and styles for a report", func(output, ansi string) {
		s := showing(output)
		Expect(s.ANSI()).To(Equal(ansi))
		Expect(showing(strings.ReplaceAll(ansi, "\n", "\r\n")).ANSI()).To(Equal(ansi), "shown again")
	},
		Entry("none", "plain", "plain"),
		Entry("16 colours", "\x1b[31ma\x1b[97;44mb\x1b[39mc\x1b[49md", "\x1b[0;31ma\x1b[0;97;44mb\x1b[0;44mc\x1b[md"),
		Entry("256 colours", "\x1b[38;5;200ma\x1b[48:5:3mb", "\x1b[0;38;5;200ma\x1b[0;38;5;200;43mb\x1b[m"),
		Entry("all colours", "\x1b[38;2;1;2;3ma\x1b[48:2::4:5:6mb\x1b[38:2:7:8:9mc",
			"\x1b[0;38;2;1;2;3ma\x1b[0;38;2;1;2;3;48;2;4;5;6mb\x1b[0;38;2;7;8;9;48;2;4;5;6mc\x1b[m"),
		Entry("attributes", "\x1b[1;3;4;7ma\x1b[22;24mb\x1b[4:3mc\x1b[4:0;23;27md", "\x1b[0;1;3;4;7ma\x1b[0;3;7mb\x1b[0;3;4;7mc\x1b[md"),
		Entry("not the colour of underlines", "\x1b[58;2;1;2;3;4ma\x1b[58:5:1;24mb", "\x1b[0;4ma\x1b[mb"),
		Entry("each row for itself", "\x1b[32ma\r\nb", "\x1b[0;32ma\x1b[m\n\x1b[0;32mb\x1b[m"),
		Entry("a background that was erased", "\x1b[41m\x1b[K", "\x1b[0;41m          \x1b[m"),
		Entry("not the ends of rows in a colour of text", "\x1b[31ma   \x1b[m", "\x1b[0;31ma\x1b[m"),
	)

	DescribeTable("replies to queries", func(output, replies string) {
		s := showing(output)
		Expect(string(s.Replies())).To(Equal(replies))
		Expect(s.Replies()).To(BeEmpty())
		Expect(s.Text()).To(HaveLen(strings.Count(s.Text(), "x")))
	},
		Entry("attributes", "\x1b[c\x1b[0c", "\x1b[?62;22c\x1b[?62;22c"),
		Entry("more attributes", "\x1b[>c", "\x1b[>1;10;0c"),
		Entry("status", "\x1b[5n", "\x1b[0n"),
		Entry("the position", "xx\x1b[6n\x1b[?6n", "\x1b[1;3R\x1b[?1;3R"),
		Entry("the position from the origin", "\x1b[2;3r\x1b[?6h\x1b[6n", "\x1b[1;1R"),
		Entry("the size", "\x1b[18t", "\x1b[8;4;10t"),
		Entry("a mode", "\x1b[?25$p\x1b[?25l\x1b[?25$p\x1b[?9999$p", "\x1b[?25;1$y\x1b[?25;2$y\x1b[?9999;0$y"),
		Entry("the background", "\x1b]11;?\a\x1b]10;?\x1b\\", "\x1b]11;rgb:0000/0000/0000\a\x1b]10;rgb:ffff/ffff/ffff\x1b\\"),
		Entry("not to a reply", "\x1b[?62;22c\x1b[1;1R\x1b[0n", ""),
	)

	It("keeps a limited amount of replies that are not taken", func() {
		s := showing(strings.Repeat("\x1b[5n", 10000))
		Expect(len(s.Replies())).To(And(BeNumerically(">", 4000), BeNumerically("<=", 4096)))
	})
})

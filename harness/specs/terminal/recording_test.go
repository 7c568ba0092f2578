//go:build darwin || linux

package terminal_test

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness/internal/terminal"
)

// closed is the dead of a program that has ended.
var closed = func() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// recorded returns a recording of output that came in pieces.
func recorded(pieces ...string) *terminal.Recording {
	r := terminal.NewRecording(24, 80)
	for _, piece := range pieces {
		r.Shown([]byte(piece))
	}
	return r
}

func literals(texts ...string) []terminal.Alternative {
	var all []terminal.Alternative
	for _, text := range texts {
		all = append(all, terminal.Literal(text))
	}
	return all
}

func pattern(source string) terminal.Alternative {
	return terminal.Pattern(regexp.MustCompile(source))
}

var _ = Describe("A recording", func() {
	DescribeTable("has plain line ends in its text and all bytes in its raw output", func(text string, pieces ...string) {
		r := recorded(pieces...)
		r.Ended(errors.New("end"))
		Expect(r.Text(0, r.Len())).To(Equal(text))
		Expect(string(r.Since(0))).To(Equal(strings.Join(pieces, "")))
	},
		Entry("in one piece", "a\nb\n", "a\r\nb\r\n"),
		Entry("split between return and newline", "a\nb", "a\r", "\nb"),
		Entry("byte by byte", "a\n\nb", "a", "\r", "\n", "\r", "\n", "b"),
		Entry("already plain", "a\nb", "a\nb"),
		Entry("a program that writes returns at a terminal that adds one", "a\nb", "a\r\r", "\nb"),
		Entry("a return alone", "50%\r100%", "50%\r", "100%"),
		Entry("a return at the end", "50%\r", "50%\r"),
	)

	It("gives the raw output and the passages from a place on", func() {
		r := recorded("one\r\n")
		r.Typed([]byte("keys"))
		r.Resized(10, 20)
		r.Shown([]byte("two"))
		Expect(string(r.Since(3))).To(Equal("\r\ntwo"))
		passages := r.Passages(1)
		Expect(passages).To(HaveLen(3))
		Expect(passages[0].Typed).To(BeTrue())
		Expect([]int{passages[1].Rows, passages[1].Columns}).To(Equal([]int{10, 20}))
		Expect(string(passages[2].Bytes)).To(Equal("two"))
	})

	It("announces a change", func() {
		r := recorded("one")
		changed := r.Changed()
		Expect(changed).NotTo(BeClosed())
		r.Shown([]byte("two"))
		Expect(changed).To(BeClosed())
		changed = r.Changed()
		r.Ended(errors.New("the first reason"))
		r.Ended(errors.New("another"))
		Expect(changed).To(BeClosed())
		Expect(r.End()).To(MatchError("the first reason"))
	})

	It("has a transcript and an asciicast", func() {
		r := recorded("caf\xc3", "\xa9\r\n\x1b[1mbold")
		r.Typed([]byte("\x03"))
		r.Resized(10, 20)
		r.Ended(errors.New("end of file"))
		Expect(r.Transcript()).To(MatchRegexp(`^ *\d\.\d{3} < café\n +< \^\[\[1mbold\n +\d\.\d{3} > \^C\n +\. end of file\n$`))
		cast, err := r.Asciicast("title")
		Expect(err).NotTo(HaveOccurred())
		lines := strings.Split(strings.TrimSpace(string(cast)), "\n")
		var events [][]any
		for _, line := range lines[1:] {
			var event []any
			Expect(json.Unmarshal([]byte(line), &event)).To(Succeed())
			events = append(events, event[1:])
		}
		Expect(events).To(Equal([][]any{{"o", "caf"}, {"o", "é\r\n\x1b[1mbold"}, {"i", "\x03"}, {"r", "20x10"}}))
	})
})

var _ = Describe("The search in a recording", func() {
	DescribeTable("finds the alternative that begins first", func(alternatives []terminal.Alternative, match terminal.Match) {
		found, err := recorded("one tw", "o\r", "\nv12 three").Find(context.Background(), alternatives, 0, closed)
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(Equal(match))
	},
		Entry("of literals, whatever their order", literals("three", "two"), terminal.Match{Index: 1, Text: "two", Before: "one ", End: 7}),
		Entry("of patterns", []terminal.Alternative{pattern("t.r"), pattern("o$"), pattern(`v(\d)(\d)(x)?`)},
			terminal.Match{Index: 2, Text: "v12", Groups: []string{"1", "2", ""}, Before: "one two\n", End: 11}),
		Entry("the first in the list if two begin at one place", literals("two\n", "two"), terminal.Match{Text: "two\n", Before: "one ", End: 8}),
		Entry("and the other way round", literals("two", "two\n"), terminal.Match{Text: "two", Before: "one ", End: 7}),
		Entry("a literal with the line end of a terminal", literals("two\r\nv"), terminal.Match{Text: "two\nv", Before: "one ", End: 9}),
		Entry("a literal with the characters of patterns is none", append(literals("t.o"), pattern("t.o")), terminal.Match{Index: 1, Text: "two", Before: "one ", End: 7}),
		Entry("an empty literal at once", literals("x", ""), terminal.Match{Index: 1}),
	)

	It("goes on behind the last match", func(ctx SpecContext) {
		r := recorded("aXaX")
		first, err := r.Find(ctx, literals("X"), 0, nil)
		Expect(err).NotTo(HaveOccurred())
		second, err := r.Find(ctx, []terminal.Alternative{pattern(`^(a)X`)}, first.End, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(second).To(Equal(terminal.Match{Text: "aX", Groups: []string{"a"}, End: 4}))
	}, NodeTimeout(time.Minute))

	It("finds what comes piece by piece while it waits", func(ctx SpecContext) {
		for _, wanted := range [][]terminal.Alternative{literals("never", "needle"), {pattern("never"), pattern("need.e")}} {
			r := recorded()
			found := make(chan terminal.Match)
			go func() {
				defer GinkgoRecover()
				defer close(found)
				match, err := r.Find(ctx, wanted, 0, nil)
				Expect(err).NotTo(HaveOccurred())
				found <- match
			}()
			for _, piece := range strings.Split("a needl, a needle", "") {
				r.Shown([]byte(piece))
			}
			Eventually(ctx, found).Should(Receive(Equal(terminal.Match{Index: 1, Text: "needle", Before: "a needl, a ", End: 17})))
			Eventually(ctx, found).Should(BeClosed())
		}
	}, NodeTimeout(time.Minute))

	// A search of all output at each piece would take minutes.
	It("finds a pattern behind much output that comes in small pieces", func(ctx SpecContext) {
		r := recorded(strings.Repeat("line of text\n", 300_000))
		found := make(chan terminal.Match)
		go func() {
			defer GinkgoRecover()
			defer close(found)
			match, err := r.Find(ctx, []terminal.Alternative{pattern(`(?m)^end$`)}, 0, nil)
			Expect(err).NotTo(HaveOccurred())
			found <- match
		}()
		for range 3000 {
			r.Shown([]byte("line of text\n"))
			time.Sleep(50 * time.Microsecond) // lets a search begin, as a program does between two writes; if it is too short, there are fewer searches
		}
		r.Shown([]byte("end\n"))
		Eventually(ctx, found).Should(Receive(HaveField("End", r.Len()-1)))
		Eventually(ctx, found).Should(BeClosed())
	}, NodeTimeout(time.Minute))

	It("looks once more when its time is over", func() {
		late, cancel := context.WithCancel(context.Background())
		cancel()
		match, err := recorded("needle").Find(late, []terminal.Alternative{pattern("need.e")}, 0, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(match.Text).To(Equal("needle"))
	})

	It("shortens what was expected in its failure", func() {
		_, err := recorded().Find(context.Background(), []terminal.Alternative{terminal.Literal(strings.Repeat("x", 5000))}, 0, closed)
		Expect(len(err.Error())).To(BeNumerically("<", 400))
	})

	It("fails at once when the program has ended, and finds what it has written", func(ctx SpecContext) {
		r := recorded("last words")
		_, err := r.Find(ctx, append(literals("never"), pattern("nor.*this")), 0, closed)
		Expect(err).To(MatchError(terminal.ErrEnded))
		Expect(err).To(MatchError(`expect "never" or /nor.*this/: the output has ended; last seen: "last words"`))
		match, err := r.Find(ctx, literals("words"), 0, closed)
		Expect(err).NotTo(HaveOccurred())
		Expect(match.Text).To(Equal("words"))
	}, NodeTimeout(time.Minute))

	It("fails when the program ends during the wait", func(ctx SpecContext) {
		r, dead, failed := recorded(), make(chan struct{}), make(chan error)
		find := func() {
			_, err := r.Find(ctx, literals("never"), 0, dead)
			failed <- err
		}
		go find()
		close(dead)
		Eventually(ctx, failed).Should(Receive(MatchError(terminal.ErrEnded)))
		dead = nil
		go find()
		r.Ended(errors.New("hung up"))
		Eventually(ctx, failed).Should(Receive(MatchError(And(ContainSubstring("hung up")))))
	}, NodeTimeout(time.Minute))

	It("fails with the context, and shows the end of what was seen", func(ctx SpecContext) {
		over, cancel := context.WithCancelCause(ctx)
		cancel(nil)
		_, err := recorded("before"+strings.Repeat("é", 1000)).Find(over, literals("never"), 6, nil)
		Expect(err).To(MatchError(context.Canceled))
		Expect(err).NotTo(MatchError(terminal.ErrEnded))
		var missing *terminal.NotFound
		Expect(errors.As(err, &missing)).To(BeTrue())
		Expect(missing.Seen).To(Equal(strings.Repeat("é", 300)))
		Expect(recorded("one two").Last(4)).To(Equal("two"))
	}, NodeTimeout(time.Minute))
})

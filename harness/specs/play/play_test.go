package play_test

import (
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/gemini-monitor/gemini/harness/play"
	"github.com/gemini-monitor/gemini/internal/property"
)

func TestPlay(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Play", Label("pure"))
}

var _ = Describe("A play", func() {
	parse := func(text string) play.Play {
		GinkgoHelper()
		p, err := play.Parse(text)
		Expect(err).NotTo(HaveOccurred())
		return p
	}

	It("is parsed as it was written", func() {
		Expect(property.Check(200, func(t *rapid.T) {
			var p play.Play
			for range rapid.IntRange(1, 30).Draw(t, "acts") {
				next := p.Next()
				if len(next) == 0 {
					break
				}
				p = append(p, rapid.SampledFrom(next).Draw(t, "act"))
			}
			again, err := play.Parse(p.String())
			if err != nil || again.String() != p.String() {
				t.Fatalf("%q is read as %q, %v", p, again, err)
			}
			if living := p.Whole().Living(); len(living) > 0 {
				t.Fatalf("%q: %v live on", p.Whole(), living)
			}
			for i := range p {
				if smaller := p.Without(i); len(smaller) >= len(p) {
					t.Fatalf("%q without act %d is %q", p, i, smaller)
				} else if _, err := play.Parse(smaller.String()); len(smaller) > 0 && err != nil {
					t.Fatal(err)
				}
			}
		})).To(BeEmpty())
	})

	DescribeTable("is refused when it cannot be played", func(text, why string) {
		_, err := play.Parse(text)
		Expect(err).To(MatchError(play.ErrSyntax))
		Expect(err).To(MatchError(ContainSubstring(why)))
	},
		Entry("nothing", "", "no such deed"),
		Entry("an unknown deed", "A sings", `"A sings"`),
		Entry("a process that is not born", "B exits", `"B exits" cannot come there`),
		Entry("a process that is dead", "A exits; A execs", `"A execs" cannot come there`),
		Entry("a name that is not the next", "A forks C", `"A forks C" cannot come there`),
		Entry("a child that lives is reaped", "A forks B; A reaps B", `"A reaps B" cannot come there`),
		Entry("a child is reaped twice", "A forks B; B exits; A reaps B; A reaps B", "cannot come there"),
		Entry("the child of another process is reaped", "A forks B; A forks C; C exits; B reaps C", "cannot come there"),
		Entry("the leader of a group leads a session", "A leads a session", "cannot come there"),
		Entry("a variable is set twice", "A forges; A forks B; B forges", `"B forges" cannot come there`),
		Entry("an object too many", "A forks B; B exits C", "cannot come there"),
	)

	It("returns the living processes and the children of each", func() {
		p := parse("A forks B; B forks C; B lets go; B forks D; A dies; C exits")
		Expect(p.Living()).To(Equal([]string{"B", "D"}))
		Expect(p.Children("B")).To(Equal([]string{"C", "D"}))
		Expect(p.Whole().String()).To(HaveSuffix("C exits; B exits; D exits"))
	})

	It("without a fork has no acts of the child", func() {
		p := parse("A forks B; B forks C; A forks D; C exits; D execs; B exits; A reaps B; A exits")
		Expect(p.Without(0).String()).To(Equal("A forks B; B execs; A exits"))
		Expect(p.Without(5).String()).To(Equal("A forks B; B forks C; A forks D; C exits; D execs; A exits"))
	})

	It("becomes as small as possible while it fails", func() {
		p := parse("A forks B; B forks C; A forks D; D leads a session; D lets go; C exits; B exits; A reaps B; A exits; D exits")
		smallest := p.Smallest(func(p play.Play) bool { return strings.Contains(p.String(), "leads a session") })
		Expect(smallest.String()).To(Equal("A forks B; B leads a session"))
	})
})

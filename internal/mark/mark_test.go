package mark

import (
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestMark(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Mark", Label("pure"))
}

var _ = Describe("The marks of an environment", func() {
	It("are those around a tree, and as the last its own", func() {
		outer := Inside([]string{"HOME=/", "PATH=/bin"})
		Expect(outer).To(HaveLen(1))
		environment := Set([]string{"HOME=/"}, outer)
		Expect(environment).To(Equal([]string{"HOME=/", Variable + "=" + outer[0]}))
		inner := Inside(environment)
		Expect(inner).To(HaveLen(2))
		Expect(inner[0]).To(Equal(outer[0]))
		Expect(inner[1]).NotTo(Equal(outer[0]))
		Expect(Of(Set(environment, inner))).To(Equal(inner))
	})

	It("are one each time", func() {
		Expect(New()).NotTo(Equal(New()))
		Expect(Parse(New())).To(HaveLen(1))
	})

	It("are those of the last setting", func() {
		first, last := New(), New()
		Expect(Of([]string{Variable + "=" + first, "A=1", Variable + "=" + last, "B=2"})).To(Equal([]string{last}))
		Expect(Of([]string{Variable + "X=" + first})).To(BeEmpty())
	})

	It("are the innermost ones where there are too many", func() {
		var marks []string
		for range 3 * deepest {
			marks = Inside([]string{Variable + "=" + Value(marks)})
		}
		Expect(marks).To(HaveLen(deepest))
		again := Inside([]string{Variable + "=" + Value(marks)})
		Expect(again[:deepest-1]).To(Equal(marks[1:]))
	})

	DescribeTable("leave out what is no mark", func(value string, number int) {
		Expect(Parse(value)).To(HaveLen(number))
	},
		Entry("nothing", "", 0),
		Entry("another word", "yes", 0),
		Entry("the wrong length", strings.Repeat("A", size-1)+":"+strings.Repeat("A", size+1), 0),
		Entry("other letters", strings.Repeat("a", size)+":"+strings.Repeat("1", size)+":"+strings.Repeat("\xff", size), 0),
		Entry("two of the same", strings.Repeat("A", size)+":"+strings.Repeat("A", size), 1),
		Entry("what is around one", ":::"+strings.Repeat("Z", size)+":\n", 1),
		Entry("very many", strings.Repeat(New()+":", 1000), 1),
	)
})

func FuzzParse(f *testing.F) {
	f.Add(New() + ":" + New())
	f.Add("::x:" + New())
	f.Fuzz(func(t *testing.T, value string) {
		marks := Parse(value)
		if len(marks) > deepest {
			t.Fatalf("%d marks", len(marks))
		}
		if again := Parse(Value(marks)); !slices.Equal(again, marks) {
			t.Fatalf("%q reads as %q", marks, again)
		}
	})
}

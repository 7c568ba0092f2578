package process

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("The words of an argument list", func() {
	DescribeTable("are read", func(area string, words ...string) {
		a := parseArguments([]byte(area))
		Expect(a.Words).To(HaveExactElements(words))
		Expect(a.Words == nil).To(Equal(len(words) == 0))
		Expect(a.Cut).To(BeFalse())
	},
		Entry("one", "bash\x00", "bash"),
		Entry("several", "sleep\x00600\x00", "sleep", "600"),
		Entry("empty ones", "sh\x00\x00-c\x00\x00", "sh", "", "-c", ""),
		Entry("of any bytes", "\xff\x01\n\x00 \x00", "\xff\x01\n", " "),
		Entry("without the last zero byte, as a title", "sshd: alice", "sshd: alice"),
		Entry("a title with zero bytes up to the end of the area", "nginx: worker\x00\x00\x00\x00\x00", "nginx: worker"),
		Entry("none of a process that has none", ""),
		Entry("none where all was wiped", "\x00\x00\x00"),
		Entry("none of an empty title", "\x00"),
	)

	It("are cut at 4 KiB, and between two characters", func() {
		whole := strings.Repeat("x", longestArguments-1)
		Expect(parseArguments([]byte(whole + "\x00"))).To(Equal(Arguments{Words: []string{whole}}))
		Expect(parseArguments([]byte(whole + "xx"))).To(Equal(Arguments{Words: []string{whole + "x"}, Cut: true}))
		Expect(parseArguments([]byte(whole + "ö\x00"))).To(Equal(Arguments{Words: []string{whole}, Cut: true}))
		Expect(parseArguments([]byte(whole + "\xff\xff"))).To(Equal(Arguments{Words: []string{whole + "\xff"}, Cut: true}))
	})
})

// procArgsOf makes what KERN_PROCARGS2 returns.
func procArgsOf(path string, arguments, rest string) []byte {
	area := binary.LittleEndian.AppendUint32(nil, uint32(strings.Count(arguments, "\x00")))
	area = append(area, path...)
	for area = append(area, 0); (len(area)-4)%8 != 0; {
		area = append(area, 0)
	}
	return append(area, arguments+rest...)
}

var _ = Describe("What KERN_PROCARGS2 returns", func() {
	DescribeTable("is divided into arguments and environment", func(path, arguments, rest string) {
		a, r, ok := cutProcArgs(procArgsOf(path, arguments, rest))
		Expect(ok).To(BeTrue())
		Expect(string(a)).To(Equal(arguments))
		Expect(string(r)).To(Equal(rest))
	},
		Entry("with both", "/bin/sh", "sh\x00-c\x00\x00", "A=1\x00\x00"),
		Entry("without an environment", "/bin/sleep", "sleep\x00600\x00", ""),
		Entry("with a path that fills its place", "/bin/123", "x\x00", "A=1\x00"),
		Entry("with a path that leaves one byte", "/bin/12", "x\x00", "A=1\x00"),
	)

	DescribeTable("is refused", func(area string) {
		_, _, ok := cutProcArgs([]byte(area))
		Expect(ok).To(BeFalse())
	},
		Entry("without a number", "\x01\x00"),
		Entry("without arguments", "\x00\x00\x00\x00/bin/sh\x00"),
		Entry("without a path", "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00x\x00"),
		Entry("when it is cut in the path", "\x01\x00\x00\x00/bin/sh"),
		Entry("when it is cut behind the path", "\x01\x00\x00\x00/bi\x00"),
		Entry("with fewer arguments than the number", "\x02\x00\x00\x00/bin/sh\x00x\x00"),
		Entry("with a number beyond all words", "\xff\xff\xff\xff/bin/sh\x00x\x00y\x00"),
	)
})

// FuzzArguments checks that no more is kept than is in the area, and nothing else.
func FuzzArguments(f *testing.F) {
	f.Add([]byte("sleep\x00600\x00"))
	f.Add([]byte("sshd: alice\x00\x00\x00"))
	f.Add([]byte("\xff\xf0\x9f\x98\x00"))
	f.Add([]byte(strings.Repeat("é", longestArguments)))
	f.Fuzz(func(t *testing.T, area []byte) {
		a := parseArguments(area)
		text := strings.Join(a.Words, "\x00")
		if len(text) > longestArguments || !strings.HasPrefix(string(area), text) {
			t.Fatalf("%q became %q", area, a.Words)
		}
		if rest := string(area[len(text):]); !a.Cut && strings.Trim(rest, "\x00") != "" {
			t.Fatalf("%q became %q, and %q is lost", area, a.Words, rest)
		}
	})
}

// FuzzProcArgs checks that cutProcArgs never panics, and that what it accepts has as many
// words as it names.
func FuzzProcArgs(f *testing.F) {
	f.Add(procArgsOf("/bin/sh", "sh\x00-c\x00\x00", "A=1\x00\x00"))
	f.Add(procArgsOf("/bin/sleep", "sleep\x00600\x00", ""))
	f.Add([]byte("\xff\xff\xff\xff/bin/sh\x00x\x00y\x00"))
	f.Fuzz(func(t *testing.T, area []byte) {
		arguments, rest, ok := cutProcArgs(area)
		if !ok {
			return
		}
		if !slices.Equal(area[len(area)-len(arguments)-len(rest):], slices.Concat(arguments, rest)) {
			t.Fatalf("%q and %q are not the end of %q", arguments, rest, area)
		}
		if count := binary.LittleEndian.Uint32(area); uint32(strings.Count(string(arguments), "\x00")) != count {
			t.Fatalf("%q has not %d words", arguments, count)
		}
	})
}

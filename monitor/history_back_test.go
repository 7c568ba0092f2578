//go:build darwin || linux

package monitor_test

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A countingReader counts what is read of a text.
type countingReader struct {
	*strings.Reader
	bytes int
}

func (c *countingReader) ReadAt(p []byte, at int64) (n int, err error) {
	n, err = c.Reader.ReadAt(p, at)
	c.bytes += n
	return n, err
}

var _ = Describe("The lines of a file, read backwards", func() {
	// backwards returns all lines of a part of a text.
	backwards := func(text string, from, to, block int) (lines []string) {
		GinkgoHelper()
		for line, err := range monitor.LinesBackwards(strings.NewReader(text), int64(from), int64(to), int64(block)) {
			Expect(err).NotTo(HaveOccurred())
			lines = append(lines, string(line))
		}
		return lines
	}

	DescribeTable("are those of the text, wherever a block ends", func(text string) {
		for from := range len(text) + 1 {
			var lines []string
			for line := range strings.SplitSeq(text[from:], "\n") {
				if line != "" {
					lines = append(lines, line)
				}
			}
			slices.Reverse(lines)
			for block := 1; block <= len(text)+1; block++ {
				Expect(backwards(text, from, len(text), block)).To(Equal(lines), "from %d in blocks of %d", from, block)
			}
		}
	},
		Entry("no text", ""),
		Entry("the end of a line alone", "\n"),
		Entry("one line", "one\n"),
		Entry("several", "one\nthe second\n3\nfour\n"),
		Entry("a last line without its end", "one\ntwo\nhal"),
		Entry("one line without its end", "hal"),
		Entry("empty lines", "\n\none\n\n\ntwo\n\n"),
	)

	It("are read as far as they are asked for", func() {
		text := &countingReader{Reader: strings.NewReader(strings.Repeat("a line of it\n", 1000))}
		for line, err := range monitor.LinesBackwards(text, 0, text.Size(), 100) {
			Expect(err).NotTo(HaveOccurred())
			Expect(string(line)).To(Equal("a line of it"))
			break
		}
		Expect(text.bytes).To(Equal(100))
	})

	It("end with the error of a file that has become shorter", func() {
		var errs []error
		for _, err := range monitor.LinesBackwards(strings.NewReader("one\ntwo\n"), 0, 20, 10) {
			errs = append(errs, err)
		}
		Expect(errs).To(HaveExactElements(MatchError(io.EOF)))
	})
})

var _ = Describe("The last runtime of a name in the history", func() {
	var store *monitor.Store

	BeforeEach(func() {
		store = newStore()
		Expect(store.Make()).To(Succeed())
	})

	// write writes a file of the history.
	write := func(file string, torn string, all ...monitor.Past) {
		GinkgoHelper()
		var text strings.Builder
		for _, p := range all {
			line, err := json.Marshal(p)
			Expect(err).NotTo(HaveOccurred())
			fmt.Fprintf(&text, "%s\n", line)
		}
		Expect(os.WriteFile(store.Path(file), []byte(text.String()+torn), 0o600)).To(Succeed())
	}
	const earlier = monitor.HistoryFile + ".1"

	It("is found wherever in the file it is", func() {
		var all []monitor.Past
		for n := range 2000 {
			all = append(all, aPast(fmt.Sprint("r", n), 1000+n, n))
		}
		write(monitor.HistoryFile, "", all...)
		info, err := os.Stat(store.Path(monitor.HistoryFile))
		Expect(err).NotTo(HaveOccurred())
		Expect(info.Size()).To(BeNumerically(">", 10*monitor.HistoryBlock))
		Expect(info.Size()).To(BeNumerically("<", 2*monitor.HistorySize), "what is before that is not read")
		for n := 0; n < len(all); n += 37 { // some of them are across the end of a block
			Expect(store.Ended(fmt.Sprint("r", n), process.Identity{})).To(Equal(all[n]))
		}
		Expect(store.Ended("r0", all[0].Owner)).To(Equal(all[0]))
		_, err = store.Ended("r2000", process.Identity{})
		Expect(err).To(MatchError(monitor.ErrNotExist))
	})

	It("is that of the present file, else that of the earlier one", func() {
		first, last, other := aPast("build", 11, 1), aPast("build", 12, 2), aPast("web", 13, 3)
		write(earlier, "", first, other)
		Expect(store.Ended("build", process.Identity{})).To(Equal(first), "there is no present file")
		write(monitor.HistoryFile, "", last)
		Expect(store.Ended("build", process.Identity{})).To(Equal(last))
		Expect(store.Ended("build", first.Owner)).To(Equal(first))
		Expect(store.Ended("web", process.Identity{})).To(Equal(other))
		write(monitor.HistoryFile, "")
		Expect(store.Ended("build", process.Identity{})).To(Equal(first), "the present file is empty")
	})

	It("is the whole line before one that was cut short", func() {
		one := aPast("build", 11, 1)
		half, err := json.Marshal(aPast("build", 12, 2))
		Expect(err).NotTo(HaveOccurred())
		write(monitor.HistoryFile, string(half[:len(half)-1]), one)
		Expect(store.Ended("build", process.Identity{})).To(Equal(one))
	})

	It("is found though the present file cannot be read, and else that is reported", func() {
		one := aPast("build", 11, 1)
		write(earlier, "", one)
		Expect(os.Mkdir(store.Path(monitor.HistoryFile), 0o700)).To(Succeed())
		Expect(store.Ended("build", process.Identity{})).To(Equal(one))
		_, err := store.Ended("web", process.Identity{})
		Expect(err).To(MatchError(HavePrefix("read the history: ")))
		Expect(err).NotTo(MatchError(monitor.ErrNotExist))
	})
})

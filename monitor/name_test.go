package monitor_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
)

var _ = Describe("The name of a runtime", func() {
	DescribeTable("can be", func(name string) {
		Expect(monitor.CheckName(name)).To(Succeed())
	},
		Entry("one letter", "a"),
		Entry("digits with anything else", "4711."),
		Entry("every kind of character", "Az09._-"),
		Entry("with dots inside and at the end", "a..b."),
		Entry("with a leading underscore", "_a"),
		Entry("with a hyphen at its end", "1-"),
		Entry("64 characters long", strings.Repeat("x", 64)),
	)

	DescribeTable("cannot be", func(name string) {
		err := monitor.CheckName(name)
		Expect(err).To(MatchError(monitor.ErrBadName))
		Expect(err.Error()).To(And(HavePrefix("bad name "), Not(ContainSubstring("\n"))))
	},
		Entry("empty", ""),
		Entry("digits alone, which commands take for a PID", "4711"),
		Entry("one digit", "0"),
		Entry("with a leading hyphen, as flags have", "-a"),
		Entry("a hyphen", "-"),
		Entry("the directory itself", "."),
		Entry("the directory above", ".."),
		Entry("with a leading dot, as stages have", ".new-1"),
		Entry("a path", "a/b"),
		Entry("a way out", "../a"),
		Entry("with a space", "a b"),
		Entry("with a line break at its end", "a\n"),
		Entry("with a zero byte", "a\x00b"),
		Entry("beyond ASCII", "größe"),
		Entry("a pattern", "a*"),
		Entry("65 characters long", strings.Repeat("x", 65)),
	)

	DescribeTable("is made up from a command", func(command, beginning string) {
		name := monitor.MadeUpName([]string{command})
		Expect(name).To(MatchRegexp("^" + beginning + "-[0-9a-f]{8}$"))
		Expect(monitor.CheckName(name)).To(Succeed())
	},
		Entry("by its last element", "/usr/bin/make", "make"),
		Entry("without what names cannot have", "./My Tool (2).sh", "MyTool2sh"),
		Entry("without a leading dot or hyphen", "/opt/.-x", "x"),
		Entry("not too long", strings.Repeat("y", 200), strings.Repeat("y", 24)),
		Entry("where nothing is left of it", "/opt/émoji/…", "runtime"),
		Entry("where it is empty", "", "runtime"),
	)

	It("is made up where there is no command", func() {
		Expect(monitor.MadeUpName(nil)).To(MatchRegexp("^runtime-[0-9a-f]{8}$"))
	})

	It("is made up differently each time", func() {
		made := make(map[string]bool)
		for range 1000 {
			made[monitor.MadeUpName([]string{"sh"})] = true
		}
		Expect(made).To(HaveLen(1000))
	})

	DescribeTable("that an earlier version has made is found, and made no more", func(name string) {
		store, err := monitor.Open(GinkgoT().TempDir())
		Expect(err).NotTo(HaveOccurred())
		Expect(os.MkdirAll(filepath.Join(store.Dir(), "runtimes", name), 0o700)).To(Succeed())
		Expect(store.Names()).To(Equal([]string{name}))
		runtime, err := store.Runtime(name)
		Expect(err).NotTo(HaveOccurred())
		Expect(runtime.Name()).To(Equal(name))
		_, err = store.Create(monitor.Creation{Name: name})
		Expect(err).To(MatchError(monitor.ErrBadName))
	},
		Entry("of digits", "4711"), Entry("with a leading hyphen", "-a"),
	)

	It("is checked wherever one is taken", func() {
		store, err := monitor.Open(GinkgoT().TempDir())
		Expect(err).NotTo(HaveOccurred())
		_, err = store.Runtime("../outside")
		Expect(errors.Is(err, monitor.ErrBadName)).To(BeTrue(), "Runtime: %v", err)
		_, err = store.Create(monitor.Creation{Name: "../outside"})
		Expect(errors.Is(err, monitor.ErrBadName)).To(BeTrue(), "Create: %v", err)
	})
})

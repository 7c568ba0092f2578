package kernel

import (
	"errors"
	"io/fs"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
)

var _ = Describe("The proc connector is", Label("linux"), func() {
	// in answers like /proc/self/ns of a process in the initial namespaces but some.
	in := func(but map[string]string) func(string) (string, error) {
		return func(kind string) (string, error) {
			if link, ok := but[kind]; ok {
				if link == "" {
					return "", fs.ErrNotExist
				}
				return link, nil
			}
			return map[string]string{"pid": "pid:[4026531836]", "user": "user:[4026531837]", "time": "time:[4026531834]"}[kind], nil
		}
	}

	DescribeTable("refused, by the name of the namespace, before it is asked", func(kind, link string) {
		err := namespaceRefusal(in(map[string]string{kind: link}))
		Expect(err).To(MatchError(errors.ErrUnsupported))
		Expect(err).To(MatchError(ContainSubstring(link)))
	},
		Entry("in a PID namespace", "pid", "pid:[4026532001]"),
		Entry("in a user namespace, where it does not answer", "user", "user:[4026532002]"),
		Entry("in a time namespace, where start times differ from its clock", "time", "time:[4026532003]"),
	)

	DescribeTable("tried", func(but map[string]string) {
		Expect(namespaceRefusal(in(but))).To(Succeed())
	},
		Entry("in the initial namespaces", nil),
		Entry("where the kernel has no time namespaces", map[string]string{"time": ""}),
		Entry("where the kernel has no user namespaces", map[string]string{"user": ""}),
	)

	It("refused where the namespace cannot be found out", func() {
		Expect(namespaceRefusal(func(string) (string, error) { return "", fs.ErrPermission })).To(MatchError(fs.ErrPermission))
	})

	// asked opens three times, where the source is refused, or is not, and returns how often it was
	// asked for and the last error.
	asked := func(fails error) (times int, err error) {
		o := &opener{refusal: func() error { return nil }, source: func() (core.Source, error) {
			times++
			return new(pidfdSource), fails
		}}
		for range 3 {
			var s core.Source
			s, err = o.open()
			Expect(s == nil).To(Equal(fails != nil))
		}
		return times, err
	}

	It("asked for each source, and once where it was refused", func() {
		times, err := asked(nil)
		Expect(times).To(Equal(3))
		Expect(err).NotTo(HaveOccurred())
		times, err = asked(fs.ErrPermission)
		Expect(times).To(Equal(1))
		Expect(err).To(MatchError(errors.ErrUnsupported))
		Expect(err).To(MatchError(fs.ErrPermission))
	})
})

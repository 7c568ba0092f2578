package process

import (
	"errors"
	"io/fs"
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("An identity recorded elsewhere", func() {
	const kernel, pids, others, clock = "b00t", "/pid:[11]", "/pid:[12]", "/time:[21]"
	hidden := errors.New("process 1 may be in it")

	DescribeTable("can be judged", func(ours, theirs string, lives bool, failed error, judged bool) {
		err := visible(parseBoot(ours), parseBoot(theirs), func(namespace string) (bool, error) {
			Expect(namespace).To(Equal(parseBoot(theirs).pids))
			return lives, failed
		})
		if judged {
			Expect(err).NotTo(HaveOccurred())
			return
		}
		Expect(err).To(MatchError(ErrElsewhere))
		if failed != nil {
			Expect(err).To(MatchError(failed))
		}
	},
		Entry("by one of the same namespaces", kernel+pids+clock, kernel+pids+clock, true, nil, true),
		Entry("after a reboot", kernel, "other", true, nil, true),
		Entry("after a reboot, from inside a namespace with the same number", kernel+pids, "other"+pids, true, nil, true),
		Entry("from the initial namespace, when the other is deserted", kernel, kernel+pids, false, nil, true),
		Entry("from the initial namespace, when the other is deserted, by any clock", kernel, kernel+pids+clock, false, nil, true),
		Entry("not while the other has processes", kernel, kernel+pids, true, nil, false),
		Entry("not when it is unknown whether the other has processes", kernel, kernel+pids, false, hidden, false),
		Entry("not from inside another one, which may not see them", kernel+others, kernel+pids, false, nil, false),
		Entry("not from inside another one that does not see the initial one", kernel+pids, kernel, false, nil, false),
		Entry("not by another clock", kernel, kernel+clock, false, nil, false),
		Entry("not by the initial clock", kernel+clock, kernel, false, nil, false),
	)

	It("is written and read as it was", func() {
		for _, boot := range []string{kernel, kernel + pids, kernel + clock, kernel + pids + clock} {
			Expect(parseBoot(boot).String()).To(Equal(boot))
		}
	})
})

var _ = Describe("An identity", func() {
	It("is of this boot, in whatever namespace it was recorded", func() {
		boot, err := Boot()
		Expect(err).NotTo(HaveOccurred())
		id := Identity{PID: 1, Start: 1, Boot: boot}
		Expect(id.ThisBoot()).To(BeTrue())
		id.Boot = parseBoot(boot).kernel + "/pid:[11]/time:[21]"
		Expect(id.ThisBoot()).To(BeTrue())
		id.Boot = "earlier/pid:[11]"
		Expect(id.ThisBoot()).To(BeFalse())
	})
})

var _ = Describe("A PID namespace", func() {
	own := func() string {
		GinkgoHelper()
		link, err := os.Readlink("/proc/self/ns/pid")
		Expect(err).NotTo(HaveOccurred())
		return link
	}

	It("is inhabited while a process is in it", func() {
		Expect(inhabited(own())).To(BeTrue())
		Expect(inhabited("pid:[1]")).To(BeFalse())
	})

	It("does not have a process that has gone", func() {
		Expect(isIn(own(), os.Getpid())).To(BeTrue())
		Expect(isIn(own(), 99999999)).To(BeFalse())
	})

	It("may have one of another user, unless that one has a single PID", func() {
		Expect(nested("Name:\tsh\nNSpid:\t4711\nNSpgid:\t4711\n")).To(BeFalse())
		Expect(nested("Name:\tsh\nNSpid:\t4711\t1\nNSpgid:\t4711\t1\n")).To(BeTrue())
		Expect(butGone(fs.ErrPermission)).To(MatchError(fs.ErrPermission))
	})
})

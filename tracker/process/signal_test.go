package process

import (
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// A killable kernel has one process at a time that has PID 10. Before one of the
// steps of a signal another process gets the PID.
type killable struct {
	boot      string
	start     StartTime
	state     State
	byPID     bool // handles are PIDs, as on macOS
	reused    int  // before which step the PID is used again
	step      int
	signalled []StartTime
	closed    int
}

func (k *killable) next() {
	if k.step++; k.step == k.reused {
		k.start++
	}
}

func (k *killable) signaller() signaller {
	return signaller{
		open: func(int) (int, error) { k.next(); return int(k.start), nil },
		lookup: func(pid int) (Row, error) {
			k.next()
			return Row{Process: Process{Identity: Identity{PID: pid, Start: k.start, Boot: k.boot}, State: k.state}}, nil
		},
		send: func(handle int, sig syscall.Signal) error {
			k.next()
			if !k.byPID && handle != int(k.start) {
				return ErrGone
			}
			k.signalled = append(k.signalled, k.start)
			return nil
		},
		close: func(int) { k.closed++ },
	}
}

var _ = Describe("A signal to an identity", func() {
	const first StartTime = 100
	var boot string
	BeforeEach(func() {
		var err error
		boot, err = Boot()
		if err != nil {
			Skip("this system has no boot identity: " + err.Error())
		}
	})
	send := func(k *killable) error {
		k.boot, k.start = boot, first
		return Identity{PID: 10, Start: first, Boot: boot}.signalBy(k.signaller(), syscall.SIGTERM)
	}

	It("reaches that process", func() {
		k := &killable{}
		Expect(send(k)).To(Succeed())
		Expect(k.signalled).To(Equal([]StartTime{first}))
		Expect(k.closed).To(Equal(1))
	})

	DescribeTable("reaches no other, before whatever step the PID is used again", func(step int) {
		k := &killable{reused: step}
		Expect(send(k)).To(MatchError(ErrGone))
		Expect(k.signalled).To(BeEmpty())
		Expect(k.closed).To(Equal(1))
	}, Entry("the handle", 1), Entry("the look-up", 2), Entry("the signal", 3))

	DescribeTable("by PID alone reaches another only if that is made after the look-up", func(step int, reached []StartTime) {
		k := &killable{byPID: true, reused: step}
		err := send(k)
		Expect(k.signalled).To(Equal(reached))
		Expect(err == nil).To(Equal(len(reached) > 0))
	},
		Entry("not before the handle", 1, nil),
		Entry("not before the look-up", 2, nil),
		Entry("before the signal: the documented window of macOS", 3, []StartTime{first + 1}),
	)

	It("is not sent to a zombie", func() {
		k := &killable{state: Zombie}
		Expect(send(k)).To(MatchError(ErrGone))
		Expect(k.signalled).To(BeEmpty())
	})

	DescribeTable("is not sent for what names no process of now", func(pid int, boot string) {
		k := &killable{}
		Expect(Identity{PID: pid, Start: first, Boot: boot}.signalBy(k.signaller(), syscall.SIGTERM)).To(MatchError(ErrGone))
		Expect(k.step).To(BeZero(), "the kernel was asked")
	},
		Entry("a group", 0, ""), Entry("all processes", -1, ""),
		Entry("a process of an earlier boot", 10, "earlier"),
	)
})

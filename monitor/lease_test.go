//go:build darwin || linux

package monitor_test

import (
	"os"
	"sync"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
)

// hold takes the lease of a runtime, shared.
func hold(r *monitor.Runtime) *os.File {
	GinkgoHelper()
	lease, err := r.HoldLease()
	Expect(err).NotTo(HaveOccurred())
	return lease
}

// leased makes a runtime, and a witness of its lease until the spec ends.
func leased() (*monitor.Runtime, monitor.LeaseWitness) {
	GinkgoHelper()
	runtime, err := newStore().Create(mine("build", nil))
	Expect(err).NotTo(HaveOccurred())
	witness, err := runtime.LeaseWitness()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(witness.Close)
	return runtime, witness
}

var _ = Describe("The lease of a runtime", func() {
	var runtime *monitor.Runtime
	var witness monitor.LeaseWitness

	BeforeEach(func() { runtime, witness = leased() })

	It("is free while no process holds it, however often it is asked", func() {
		for range 100 {
			Expect(witness.Free()).To(BeTrue())
		}
	})

	It("can be taken by others once the monitor has asked", func() {
		Expect(witness.Free()).To(BeTrue())
		Expect(hold(runtime).Close()).To(Succeed())
	})

	It("is free at once when its one holder closes it", func() {
		lease := hold(runtime)
		Expect(witness.Free()).To(BeFalse())
		Expect(lease.Close()).To(Succeed())
		Expect(witness.Free()).To(BeTrue())
	})

	It("is held by a child that inherited it, through fork and exec", func() {
		lease := hold(runtime)
		holder := start("exec cat <&3", append(through(newGate()), lease)...)
		Expect(lease.Close()).To(Succeed())
		Expect(witness.Free()).To(BeFalse())
		holder.kill()
		// No waiting here: the kernel closes descriptors before it reports an exit (docs/linux.md L6; docs/xnu.md G6).
		Expect(witness.Free()).To(BeTrue())
	})

	It("is held by the grandchild when the child between has gone", func() {
		lease, g := hold(runtime), newGate()
		child := start("read -r x <&3 & exit", append(through(g), lease)...)
		Expect(lease.Close()).To(Succeed())
		child.wait()
		Expect(witness.Free()).To(BeFalse())
		g.open()
		Eventually(witness.Free).Should(BeTrue())
	})

	It("is held by a process that inherited it under another number", func() {
		lease, g := hold(runtime), newGate()
		start("exec 9>&5 5>&-; read -r x <&3", append(through(g), lease)...)
		Expect(lease.Close()).To(Succeed())
		Expect(witness.Free()).To(BeFalse())
		g.open()
		Eventually(witness.Free).Should(BeTrue())
	})

	It("is free when its last holder closed it, though that one lives", func() {
		lease := hold(runtime)
		holder := start("exec 5>&-; read -r x <&3", append(through(newGate()), lease)...)
		Expect(lease.Close()).To(Succeed())
		Eventually(witness.Free).Should(BeTrue())
		Expect(holder.cmd.ProcessState).To(BeNil())
	})

	It("is not inherited unless it is passed on", func() {
		lease, g := hold(runtime), newGate()
		start("read -r x <&3", through(g)...)
		Expect(lease.Close()).To(Succeed())
		Expect(witness.Free()).To(BeTrue())
	})

	It("can be held by several processes that do not share a descriptor", func() {
		first, second := hold(runtime), hold(runtime)
		Expect(first.Close()).To(Succeed())
		Expect(witness.Free()).To(BeFalse())
		Expect(second.Close()).To(Succeed())
		Expect(witness.Free()).To(BeTrue())
	})

	It("is never reported free while one holder lives, also while others come and go", func() {
		lease := hold(runtime)
		holder := start("exec cat <&3", append(through(newGate()), lease)...)
		Expect(lease.Close()).To(Succeed())
		var others sync.WaitGroup
		var comings atomic.Int32
		stop := make(chan struct{})
		for range 2 {
			others.Go(func() {
				defer GinkgoRecover()
				for {
					select {
					case <-stop:
						return
					default:
						other, err := runtime.HoldLease()
						Expect(err).NotTo(HaveOccurred())
						Expect(other.Close()).To(Succeed())
						comings.Add(1)
					}
				}
			})
		}
		for range 2000 {
			Expect(witness.Free()).To(BeFalse())
		}
		for asked := comings.Load(); comings.Load() < asked+10; {
			Expect(witness.Free()).To(BeFalse())
		}
		close(stop)
		others.Wait()
		holder.kill()
		Expect(witness.Free()).To(BeTrue())
	})

	It("is an error where its file is missing, for the holder and for the witness", func() {
		Expect(os.Remove(runtime.Path(monitor.LeaseFile))).To(Succeed())
		_, err := runtime.HoldLease()
		Expect(err).To(MatchError(os.ErrNotExist))
		_, err = runtime.LeaseWitness()
		Expect(err).To(MatchError(os.ErrNotExist))
	})
})

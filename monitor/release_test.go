//go:build darwin || linux

package monitor_test

import (
	"context"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
)

var _ = Describe("Waiting for the release of a lease", Label("probe"), func() {
	// forEver is longer than any spec: a wait that ends within it was woken.
	const forEver = time.Hour

	var runtime *monitor.Runtime
	var witness monitor.LeaseWitness
	var lease *os.File // held by us
	var release monitor.Listener

	BeforeEach(func() {
		var err error
		runtime, witness = leased()
		lease = hold(runtime)
		DeferCleanup(func() { _ = lease.Close() })
		release, err = (&monitor.ReleaseNotifier{}).Listen(runtime.Path(monitor.LeaseFile))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(release.Close)
	})

	// wait waits in the background and delivers the outcome.
	wait := func(ctx context.Context, atMost time.Duration) <-chan error {
		outcome := make(chan error, 1)
		go func() { outcome <- release.Wait(ctx, atMost) }()
		return outcome
	}

	It("ends when the holder closes it", func(ctx SpecContext) {
		outcome := wait(ctx, forEver)
		Expect(outcome).NotTo(Receive())
		Expect(lease.Close()).To(Succeed())
		Eventually(outcome).Should(Receive(BeNil()))
		Eventually(witness.Free).Should(BeTrue())
	}, SpecTimeout(time.Minute))

	It("ends when the holder dies, however it does", func(ctx SpecContext) {
		holder := start("exec cat <&3", append(through(newGate()), lease)...)
		Expect(lease.Close()).To(Succeed())
		// The close of our own copy was not the last, and may be reported all the same.
		Expect(release.Wait(ctx, time.Millisecond)).To(Succeed())
		outcome := wait(ctx, forEver)
		holder.kill()
		Eventually(outcome).Should(Receive(BeNil()))
		Expect(witness.Free()).To(BeTrue())
	}, SpecTimeout(time.Minute))

	It("does not miss a release before it", func(ctx SpecContext) {
		Expect(lease.Close()).To(Succeed())
		Eventually(wait(ctx, forEver)).Should(Receive(BeNil()))
	}, SpecTimeout(time.Minute))

	It("ends when the time is over", func(ctx SpecContext) {
		Expect(release.Wait(ctx, time.Millisecond)).To(Succeed())
	}, SpecTimeout(time.Minute))

	It("ends with its context, and can be done again with another", func(ctx SpecContext) {
		first, cancel := context.WithCancel(ctx)
		outcome := wait(first, forEver)
		cancel()
		Eventually(outcome).Should(Receive(MatchError(context.Canceled)))
		outcome = wait(ctx, forEver)
		Expect(lease.Close()).To(Succeed())
		Eventually(outcome).Should(Receive(BeNil()))
	}, SpecTimeout(time.Minute))

	It("ends at once when its context has ended before", func(ctx SpecContext) {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		Eventually(wait(ended, forEver)).Should(Receive(MatchError(context.Canceled)))
	}, SpecTimeout(time.Minute))

	It("does not end for the release of another that the same notifier serves", func(ctx SpecContext) {
		var notifier monitor.ReleaseNotifier
		other, _ := leased()
		others := hold(other)
		defer others.Close()
		first, err := notifier.Listen(runtime.Path(monitor.LeaseFile))
		Expect(err).NotTo(HaveOccurred())
		defer first.Close()
		second, err := notifier.Listen(other.Path(monitor.LeaseFile))
		Expect(err).NotTo(HaveOccurred())
		defer second.Close()
		outcomes := make(chan string, 2)
		for name, l := range map[string]monitor.Listener{"first": first, "second": second} {
			go func() {
				if l.Wait(ctx, forEver) == nil {
					outcomes <- name
				}
			}()
		}
		Expect(others.Close()).To(Succeed())
		Eventually(outcomes).Should(Receive(Equal("second")))
		Expect(lease.Close()).To(Succeed())
		Eventually(outcomes).Should(Receive(Equal("first")))
	}, SpecTimeout(time.Minute))

	It("is an error where there is no such file", func() {
		_, err := (&monitor.ReleaseNotifier{}).Listen(filepath.Join(GinkgoT().TempDir(), "lease"))
		Expect(err).To(MatchError(os.ErrNotExist))
	})
})

//go:build darwin || linux

package specs_test

import (
	"os/exec"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
	"github.com/gemini-monitor/gemini/internal/descriptor"
)

// Rare states of a process, in which monitors err.
var _ = Describe("A puppet in a strange state", func() {
	stateOf := func(pid int) string {
		GinkgoHelper()
		state, err := exec.Command("ps", "-o", "state=", "-p", strconv.Itoa(pid)).Output()
		Expect(err).NotTo(HaveOccurred())
		return strings.TrimSpace(string(state))[:1]
	}

	It("is stopped by another that traces it, and released", Label("trace"), func(ctx SpecContext) {
		stage := newStage()
		stage.Start("puppet", "debugged")
		debugged := stage.Puppet("debugged")
		stage.Start("puppet", "debugger")
		debugger := stage.Puppet("debugger")
		if err := debugger.Trace(debugged.PID()); err != nil {
			Skip("processes cannot be traced here: " + err.Error())
		}
		Expect(stateOf(debugged.PID())).To(BeElementOf("T", "t"))
		debugger.Release(debugged.PID())
		Expect(debugged.Report().PID).To(Equal(debugged.PID()))
		Expect(debugger.Trace(99999999)).NotTo(Succeed())
	}, SpecTimeout(time.Minute))

	It("lends what it inherited to a process outside of its tree", func(ctx SpecContext) {
		stage := newStage()
		job := stage.Start("puppet", "lender")
		lender := stage.Puppet("lender")
		lent := lender.Lend()
		lender.Exit(0)
		job.Wait()
		Expect(job.Oracle().Held()).To(BeTrue(), "this process has it")
		Expect(lent.Close()).To(Succeed())
		Eventually(ctx, job.Oracle().Gone()).Should(BeClosed())
		Expect(lent.Close()).To(Succeed(), "again")
	}, SpecTimeout(time.Minute))

	It("has its descriptors back at the end of the spec, without a call of Close", func(ctx SpecContext) {
		before, err := descriptor.Snapshot(false)
		Expect(err).NotTo(HaveOccurred())
		t := &quietT{}
		Expect(t.run(func() {
			stage := harness.New(t, small)
			stage.CrossCheck() // a lock is lent too: unlike a pipe it differs from Ginkgo's own descriptors
			stage.Start("puppet", "lender")
			stage.Puppet("lender").Lend()
			lent, err := descriptor.Snapshot(false)
			Expect(err).NotTo(HaveOccurred())
			Expect(len(lent)).To(BeNumerically(">", len(before)))
		})).To(BeEmpty())
		Eventually(ctx, func() ([]string, error) { return descriptor.Snapshot(false) }).Should(HaveLen(len(before)))
	}, SpecTimeout(time.Minute))

	It("has lost its first thread and goes on", Label("linux"), func(ctx SpecContext) {
		stage := newStage()
		job := stage.Start("puppet", "headless")
		headless := stage.Puppet("headless")
		headless.EndFirstThread()
		Expect(stateOf(headless.PID())).To(Equal("Z"), "though it lives")
		Expect(headless.Report().PID).To(Equal(job.PID()))
		child := headless.Fork("child")
		child.Exit(0)
		headless.Exit(5)
		Expect(job.Wait()).To(Equal(harness.Status{Code: 5}))
	}, SpecTimeout(time.Minute))
})

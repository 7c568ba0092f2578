package main

import (
	"math"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/monitor"
)

var _ = Describe("The limits of run", func() {
	flags := func(timeout, leftovers, grace string) runFlags {
		return runFlags{timeout: timeout, leftovers: leftovers, grace: grace}
	}
	const second = monitor.Seconds(time.Second)

	DescribeTable("are what the flags ask for", func(o runFlags, want monitor.Limits) {
		Expect(o.limits()).To(Equal(want))
	},
		Entry("none", flags("0", "keep", "10s"), monitor.Limits{}),
		Entry("a time, with the usual grace", flags("3", "keep", "10s"), monitor.Limits{Timeout: 3 * second, Grace: 10 * second}),
		Entry("no leftovers", flags("0", "stop", "10s"), monitor.Limits{Leftovers: true, Grace: 10 * second}),
		Entry("another grace", flags("1.5m", "stop", "2"), monitor.Limits{Timeout: 90 * second, Leftovers: true, Grace: 2 * second}),
		Entry("a grace that is given with the leftovers", flags("0", "stop=500ms", "10s"), monitor.Limits{Leftovers: true, Grace: second / 2}),
		Entry("no grace at all", flags("1", "keep", "0"), monitor.Limits{Timeout: second}),
		Entry("a grace that nothing asks for", flags("0", "keep", "2s"), monitor.Limits{}),
		Entry("a time beyond all records", flags("1000000d", "keep", "10s"), monitor.Limits{Timeout: longestSpan, Grace: 10 * second}),
	)

	It("are the same in the command line of the child", func() {
		for _, o := range []runFlags{flags("0", "keep", "10s"), flags("90.5", "stop", "0"), flags("0", "stop=1d", "10s"), flags("1h30m", "keep", "1ns"), flags("1000000d", "keep", "3")} {
			limits, err := o.limits()
			Expect(err).NotTo(HaveOccurred())
			var again runFlags
			cmd := &cobra.Command{}
			again.add(cmd)
			Expect(cmd.Flags().Parse(limitArguments(limits))).To(Succeed())
			Expect(again.limits()).To(Equal(limits))
		}
	})

	It("survive the record", func() {
		o := flags("1000000d", "keep", "10s")
		limits, err := o.limits()
		Expect(err).NotTo(HaveOccurred())
		text, err := limits.Timeout.MarshalJSON()
		Expect(err).NotTo(HaveOccurred())
		var read monitor.Seconds
		Expect(read.UnmarshalJSON(text)).To(Succeed())
		Expect(float64(read)).To(BeNumerically("~", math.Pow(2, 62), 1e9))
	})

	It("make run wait if there is a time, unless it is told not to", func() {
		for _, c := range []struct {
			timeout          string
			said, wait, want bool
		}{
			{"0", false, false, false},
			{"3", false, false, true},
			{"3", true, false, false},
			{"0", true, true, true},
			{"-3", false, false, false},
		} {
			o := runFlags{timeout: c.timeout, wait: c.wait}
			Expect(o.waits(c.said)).To(Equal(c.want), "%+v", c)
		}
	})
})

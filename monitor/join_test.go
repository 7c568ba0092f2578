package monitor

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = DescribeTable("A process that joins leaves out", func(expected []int, rows ...process.Process) {
	var pids []int
	for _, id := range kinOf(10, append(rows, process.Process{Identity: process.Identity{PID: 10}, Parent: 5, Group: 10, Session: 5})) {
		pids = append(pids, id.PID)
	}
	Expect(pids).To(Equal(expected))
},
	Entry("nothing, where it has made nothing", nil,
		row(5, 1, 5, 5), row(11, 5, 11, 5)),
	Entry("what descends from it", []int{12, 11},
		row(11, 12, 5, 5), row(12, 10, 12, 5), row(13, 5, 5, 5)),
	Entry("what is in a group or session that it leads", []int{11, 12},
		row(11, 5, 10, 5), row(12, 1, 12, 10), row(13, 5, 5, 5)),
	Entry("no zombie", nil, process.Process{Identity: process.Identity{PID: 11}, Parent: 10, State: process.Zombie}),
)

func row(pid, parent, group, session int) process.Process {
	return process.Process{Identity: process.Identity{PID: pid}, Parent: parent, Group: group, Session: session}
}

var _ = DescribeTable("A process that joins has the marks", func(had, marks, expected []string) {
	Expect(marksWithin(had, marks)).To(Equal(expected))
},
	Entry("of the runtime", nil, []string{markA}, []string{markA}),
	Entry("of the runtime inside those of one around it", []string{markA}, []string{markA, markB}, []string{markA, markB}),
	Entry("of the runtime behind those of another", []string{markC}, []string{markA, markB}, []string{markC, markA, markB}),
	Entry("that it had, in a runtime inside of the one that it joins", []string{markA, markB}, []string{markA}, []string{markA, markB}),
	Entry("that it had, where the runtime has none", []string{markC}, nil, []string{markC}),
)

const (
	markA = "AAAAAAAAAAAAAAAAAAAAAAAAAA"
	markB = "BBBBBBBBBBBBBBBBBBBBBBBBBB"
	markC = "CCCCCCCCCCCCCCCCCCCCCCCCCC"
)

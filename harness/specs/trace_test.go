//go:build darwin || linux

package specs_test

import (
	"encoding/json"
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// checkTrace checks the format, and that the leaf has a slice for its life.
func checkTrace(text []byte, leaf int) {
	GinkgoHelper()
	var file struct {
		TraceEvents []struct {
			Name     *string
			Ph       string
			TS, Dur  *float64
			PID, TID *int
			S        string
			ID       int
			Args     map[string]any
		}
	}
	Expect(json.Unmarshal(text, &file)).To(Succeed())
	type track struct{ pid, tid int }
	used, named, processes := map[track]bool{}, map[track]bool{}, map[int]any{}
	open := map[track][]float64{}
	lived, arrows := false, map[int]int{}
	for _, e := range file.TraceEvents {
		Expect(e.Name).NotTo(BeNil())
		Expect(e.TS).To(HaveValue(BeNumerically("<", 60e6)), "microseconds since the stage was set up")
		Expect(e.PID).NotTo(BeNil())
		Expect(e.TID).NotTo(BeNil())
		at := track{*e.PID, *e.TID}
		switch e.Ph {
		case "X":
			Expect(e.Dur).To(HaveValue(BeNumerically(">=", 0)))
			for len(open[at]) > 0 && open[at][len(open[at])-1] <= *e.TS {
				open[at] = open[at][:len(open[at])-1]
			}
			end := *e.TS + *e.Dur
			if n := len(open[at]); n > 0 {
				Expect(end).To(BeNumerically("<=", open[at][n-1]+0.001), "slices of one track nest")
			}
			open[at] = append(open[at], end)
			lived = lived || *e.PID == leaf && *e.Name == "alive"
			used[at] = true
		case "i":
			Expect(e.S).To(Equal("t"))
			used[at] = true
		case "s", "f":
			arrows[e.ID]++
			used[at] = true
		case "M":
			Expect(e.Args).To(HaveKey("name"))
			if *e.Name == "process_name" {
				processes[*e.PID] = e.Args["name"]
			} else {
				Expect(*e.Name).To(Equal("thread_name"))
				named[at] = true
			}
		default:
			Fail("an event of phase " + e.Ph)
		}
	}
	Expect(arrows).To(And(Not(BeEmpty()), HaveEach(2)), "arrows have two ends")
	Expect(lived).To(BeTrue(), "the leaf has a life")
	Expect(named).To(Equal(used), "every track that is used has a name")
	Expect(processes).To(HaveKeyWithValue(leaf, ContainSubstring("leaf")))
	Expect(processes).To(HaveKeyWithValue(os.Getpid(), "the test"))
}

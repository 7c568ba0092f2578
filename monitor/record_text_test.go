package monitor

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("The text of a record", func() {
	made := time.Date(2026, 11, 26, 5, 6, 27, 950265660, time.UTC)
	whole := func() Record {
		return Record{
			Version: 1, Name: "build-1", State: StateStarting, Owner: process.Identity{PID: 7, Start: 42, Boot: "4243fc1e/pid:[1]"},
			Marks: []string{"outer", "inner"}, Command: []string{"sh", "-c", "a <b >c & d | e"}, StartedIn: "/home/me", User: 1000,
			Host: "here", Machine: "0123/here", Created: made,
		}
	}

	DescribeTable("is that of encoding/json, also without it, with", func(change func(*Record)) {
		r := whole()
		change(&r)
		text, ok := r.plainText()
		Expect(ok).To(BeTrue())
		Expect(r.encodeAny()).To(Equal(text))
	},
		Entry("all that a new runtime has", func(*Record) {}),
		Entry("nothing that may be missing", func(r *Record) {
			*r = Record{Version: 1, Name: "a", State: StateStarting, Owner: process.Identity{PID: 7, Boot: "b"}, Created: made}
		}),
		Entry("an empty word", func(r *Record) { r.Command = []string{""} }),
		Entry("a time of whole seconds", func(r *Record) { r.Created = made.Truncate(time.Second) }),
		Entry("what a durable one has", func(r *Record) { r.Version, r.Durable, r.Made = 2, true, made.Add(-time.Hour) }),
	)

	DescribeTable("takes encoding/json with", func(change func(*Record)) {
		r := whole()
		change(&r)
		_, ok := r.plainText()
		Expect(ok).To(BeFalse())
		text, err := r.encodeAny()
		Expect(err).NotTo(HaveOccurred())
		Expect(r.encode()).To(Equal(text))
	},
		Entry("a quote", func(r *Record) { r.Command = []string{`say "hi"`} }),
		Entry("a letter that is not ASCII", func(r *Record) { r.StartedIn = "/home/mé" }),
		Entry("bytes that are no text", func(r *Record) { r.Command = []string{"\xff"} }),
		Entry("a line break", func(r *Record) { r.Command = []string{"a\nb"} }),
		Entry("a reason", func(r *Record) { r.Reason = "why" }),
		Entry("a monitor", func(r *Record) { r.Monitor = &process.Identity{PID: 8} }),
		Entry("strangers", func(r *Record) { r.Strangers = []process.Identity{{PID: 8}} }),
		Entry("an on-empty command", func(r *Record) { r.OnEmpty = []string{"true"} }),
		Entry("runs of it", func(r *Record) { r.OnEmptyRuns = 1 }),
		Entry("a time limit", func(r *Record) { r.Limits.Timeout = Seconds(time.Second) }),
		Entry("an ending", func(r *Record) { r.Ending = &Ending{By: CauseStop} }),
		Entry("a time when it became idle", func(r *Record) { r.IdleSince = made }),
		Entry("a time of another zone", func(r *Record) { r.Created = made.In(time.FixedZone("x", 3600)) }),
	)
})

package trees

import (
	"encoding/json"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("The link of a member", func() {
	through := process.Identity{PID: 4711, Start: 1, Boot: "b"}

	DescribeTable("ends a sentence", func(link Link, text string) {
		Expect(link.String()).To(Equal(text))
	},
		Entry(nil, Link{Kind: LinkRoot}, "the root"),
		Entry(nil, Link{Kind: LinkKnown}, "known from before"),
		Entry(nil, Link{Kind: LinkJoin}, "joined from outside"),
		Entry(nil, Link{LinkParent, through}, "child of 4711"),
		Entry(nil, Link{LinkGroup, through}, "orphan in the group of 4711"),
		Entry(nil, Link{LinkSession, through}, "orphan in the session of 4711"),
	)

	It("names in JSON the process that it leads to, if any", func() {
		text, err := json.Marshal([]Link{{Kind: LinkRoot}, {LinkGroup, through}})
		Expect(err).NotTo(HaveOccurred())
		Expect(text).To(MatchJSON(`[{"kind": "root"},
			{"kind": "group", "through": {"pid": 4711, "start": 1, "boot": "b"}}]`))
	})

	It("is part of the member in JSON", func() {
		m := Member{Process: process.Process{Identity: through}, Link: Link{Kind: LinkKnown}, Joined: time.Unix(1, 0).UTC()}
		text, err := json.Marshal(m)
		Expect(err).NotTo(HaveOccurred())
		var back Member
		Expect(json.Unmarshal(text, &back)).To(Succeed())
		Expect(back).To(Equal(m))
	})
})

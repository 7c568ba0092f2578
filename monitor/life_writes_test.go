package monitor

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// deeds are the acts that writes must not decide about.
func deeds(acts []act) (all []string) {
	for _, a := range acts {
		switch a.kind {
		case askLease, checkTable, remove, makeIdle, listen, endListening, watchMounts, setLook, ready, finish:
			all = append(all, fmt.Sprint(a.kind, a.result, a.after))
		}
	}
	return all
}

// isWriting reports whether an event is an outcome of a write, or the retry timer.
func isWriting(k eventKind) bool {
	return k == recorded || k == unrecorded || k == journaled || k == unjournaled || k == retry
}

var _ = Describe("A life whose writes all fail", func() {
	It("does what one does whose writes all succeed, whatever happens", func() {
		type twins struct{ lucky, unlucky life }
		seen, next := map[twins]bool{}, []twins{}
		for _, durable := range []bool{false, true} {
			first := life{durable: durable}
			first.step(event{kind: begin})
			first.step(event{kind: recorded})
			seen[twins{first, first}], next = true, append(next, twins{first, first})
		}
		for len(next) > 0 {
			pair := next[0]
			next = next[1:]
			for e := range eventKind(len(eventNames)) {
				after := pair
				what := event{kind: e, reason: "why"}
				if isWriting(e) || pair.lucky.phase == over || !possible(pair.lucky, e) {
					continue
				}
				good, bad := after.lucky.step(what), after.unlucky.step(what)
				Expect(deeds(bad)).To(Equal(deeds(good)), "%v in %+v", e, pair)
				Expect(after.unlucky.phase).To(Equal(after.lucky.phase))
				writeAll(&after.lucky, good, recorded, journaled)
				writeAll(&after.unlucky, bad, unrecorded, unjournaled)
				if !seen[after] {
					seen[after] = true
					next = append(next, after)
				}
			}
		}
		Expect(len(seen)).To(BeNumerically(">", 50))
	})
})

// writeAll reports the outcomes of the writes among acts, which lead to no deed.
func writeAll(l *life, acts []act, record, journal eventKind) {
	GinkgoHelper()
	for _, a := range acts {
		switch {
		case l.phase == over:
		case a.kind == writeRecord:
			Expect(deeds(l.step(event{kind: record, reason: "disk full"}))).To(BeEmpty())
		case a.kind == appendJournal:
			Expect(deeds(l.step(event{kind: journal, reason: "disk full"}))).To(BeEmpty())
		}
	}
}

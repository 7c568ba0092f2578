package monitor

import (
	"errors"
	"strings"
	"time"

	"github.com/gemini-monitor/gemini/tracker/trees"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// in returns a life in a phase, as it usually gets there.
func in(p phase) life {
	l := life{phase: p, patience: quickLook, said: statement{state: StateRunning}}
	switch p {
	case asking:
		l.lease = underWay
	case checking:
		l.table = underWay
	case blind:
		l.said = statement{StateUnknown, reasonUnreadable + "no memory"}
	case waiting:
		l.said, l.patience = statement{StateUnknown, reasonHeld}, 2*quickLook
	case hooking:
		l.said = statement{StateStopping, reasonHooking}
	case stuck:
		l.said, l.patience = statement{StateStopping, "device busy"}, 2*slowLook
	}
	return l
}

func durably(l life) life {
	l.durable = true
	return l
}

func withHook(l life, h hookState) life {
	l.hook = h
	return l
}

// script writes acts as one line. Log lines that repeat a state are left out.
func script(acts []act) string {
	var lines []string
	for _, a := range acts {
		switch a.kind {
		case writeRecord:
			lines = append(lines, strings.TrimSuffix("record "+string(a.says.state)+": "+a.says.reason, ": "))
		case appendJournal:
			lines = append(lines, "journal "+strings.Repeat("+", len(a.changes)))
		case setLook, setRetry:
			lines = append(lines, strings.TrimPrefix(a.kind.String(), "set ")+" in "+a.after.String())
		case writeLog:
			if a.says.state == "" {
				lines = append(lines, "log "+a.text)
			}
		case finish:
			lines = append(lines, strings.TrimSuffix("finish "+a.result.String()+": "+a.reason, ": "))
		default:
			lines = append(lines, a.kind.String())
		}
	}
	return strings.Join(lines, "; ")
}

func because(kind eventKind, reason string) event { return event{kind: kind, reason: reason} }

func plainly(kind eventKind) event { return event{kind: kind} }

var _ = DescribeTable("A life", func(l life, e event, next phase, what string) {
	acts := l.step(e)
	Expect(script(acts)).To(Equal(what))
	Expect(l.phase).To(Equal(next))
},
	Entry("names its monitor in the record first", life{}, plainly(begin), attaching, "record running"),
	Entry("is watched once the record names the monitor", in(attaching), plainly(recorded), following, "ready"),
	Entry("does not begin without that", in(attaching), because(unrecorded, "disk full"), over, "finish failed: disk full"),
	Entry("names its monitor in the record first where it had one before", life{}, plainly(beginAgain), returning, "record running"),
	Entry("is watched then", in(returning), plainly(recorded), following, "ready"),
	Entry("is watched then, though the record cannot be written", in(returning), because(unrecorded, "disk full"), following,
		"log the record cannot be written and is tried again; retry in 5s; ready"),
	Entry("does not wait for the journal to begin", in(attaching), because(unjournaled, "disk full"), attaching,
		"log the journal cannot be written and is tried again; retry in 5s"),

	Entry("asks the lease when the table is empty", in(following), plainly(emptied), asking, "ask lease"),
	Entry("records why when the table cannot be read", in(following), because(unreadable, "no memory"), blind,
		"record unknown: the process table cannot be read: no memory; look in 5s"),
	Entry("reads the table anew when it can be read again", in(blind), plainly(readable), checking, "check table"),
	Entry("tries from time to time whether it can", in(blind), plainly(look), checking, "check table"),
	Entry("changes nothing on members while it cannot", in(blind), plainly(members), blind, ""),

	Entry("removes when both witnesses agree", in(asking), plainly(free), removing, "remove"),
	Entry("waits while the lease is held", in(asking), plainly(held), waiting,
		"record unknown: "+reasonHeld+"; listen; look in 1ms"),
	Entry("waits while the lease cannot be asked", in(asking), because(unasked, "no locks"), waiting,
		"record unknown: the lease cannot be asked: no locks; listen; look in 1ms"),
	Entry("reads the table anew when that has moved meanwhile", in(asking), plainly(unsettled), checking, "check table"),
	Entry("reads the table anew when there are news before the lease has answered", in(asking), plainly(members), checking, "check table"),

	Entry("asks the table first when the lease was released", in(waiting), plainly(released), checking, "check table"),
	Entry("asks the table first when it looks again", in(waiting), plainly(look), checking, "check table"),
	Entry("asks the table when a member turns up", in(waiting), plainly(members), checking, "check table"),
	Entry("goes on when the table shows members", in(checking), plainly(alive), following, "end listening"),
	Entry("asks the lease again when the table shows none", in(checking), plainly(vacant), asking, "ask lease"),
	Entry("records why when the table cannot be read anew", in(checking), because(unchecked, "no memory"), blind,
		"record unknown: no memory; look in 5s"),

	Entry("makes a durable runtime idle then", durably(in(asking)), plainly(free), idling, "make idle"),
	Entry("ends when the record has that", durably(in(idling)), plainly(idled), over, "log idle; finish idle"),
	Entry("records why it cannot, and does not give up", durably(in(idling)), because(unidled, "disk full"), stuck,
		"record stopping: disk full; watch mounts; look in 5s"),
	Entry("asks the witnesses again before it makes it idle again", durably(in(stuck)), plainly(look), checking, "check table"),
	Entry("does not leave while it makes it idle", durably(in(idling)), plainly(leave), idling, ""),
	Entry("runs the on-empty command of a durable runtime first", withHook(durably(in(asking)), hookDue), plainly(free), hooking,
		"record stopping: "+reasonHooking+"; run hook"),
	Entry("makes it idle when that has ended", withHook(durably(in(asking)), hookDone), plainly(free), idling, "make idle"),
	Entry("runs the on-empty command before that", withHook(in(asking), hookDue), plainly(free), hooking,
		"record stopping: "+reasonHooking+"; run hook"),
	Entry("runs it once at a time", withHook(in(asking), hookRuns), plainly(free), hooking, "record stopping: "+reasonHooking),
	Entry("removes when it has ended", withHook(in(asking), hookDone), plainly(free), removing, "remove"),
	Entry("asks the table again when it has ended", withHook(in(hooking), hookRuns), plainly(hooked), checking, "check table"),
	Entry("records why it has failed, and tries again later", withHook(in(hooking), hookRuns), because(unhooked, "exit status 1"), stuck,
		"record stopping: exit status 1; watch mounts; look in 5s"),
	Entry("asks both witnesses when it is given up while it runs", withHook(in(hooking), hookRuns), plainly(forgone), checking,
		"record stopping: "+reasonHooking+"; check table"),
	Entry("asks both witnesses when it is given up after it has failed", withHook(in(stuck), hookDue), plainly(forgone), checking,
		"record stopping: device busy; check table"),
	Entry("takes no end of a command that was given up", withHook(in(asking), hookless), because(unhooked, "killed"), asking, ""),
	Entry("writes no record while it makes the runtime idle", durably(in(idling)), because(toldToEnd, "told"), idling, ""),
	Entry("writes no record while it removes the runtime", in(removing), because(toldToEnd, "told"), removing, ""),
	Entry("asks the table when a member turns up meanwhile", withHook(in(hooking), hookRuns), plainly(members), checking, "check table"),
	Entry("ends when the runtime is removed", in(removing), plainly(removed), over, "log removed; finish removed"),
	Entry("records why the removal failed, and does not give up", in(removing), because(unremoved, "device busy"), stuck,
		"record stopping: device busy; watch mounts; look in 5s"),
	Entry("stays where it is while that cannot be recorded", in(stuck), because(unrecorded, "disk full"), stuck,
		"log the record cannot be written and is tried again; retry in 5s"),
	Entry("asks the table first when it tries again", in(stuck), plainly(look), checking, "check table"),
	Entry("asks the table first when a file system was unmounted", in(stuck), plainly(unmounted), checking, "check table"),
	Entry("asks the table when a member turns up though the removal failed", in(stuck), plainly(members), checking, "check table"),
	Entry("finishes a removal though it is to leave", in(removing), plainly(leave), removing, ""),

	Entry("goes on waiting for the lease while released processes come and go", in(waiting), plainly(noted), waiting, ""),
	Entry("records which process it waits for", in(asking), because(held, "process 5 holds the lease"), waiting,
		"record unknown: process 5 holds the lease; listen; look in 1ms"),

	Entry("is stopping once its members are told to end", in(following), because(toldToEnd, "its time is up"), following,
		"record stopping: its time is up"),
	Entry("stays unknown when they are told to end, and the record has the request", in(waiting), because(toldToEnd, "its time is up"), waiting,
		"record unknown: "+reasonHeld),

	Entry("leaves on request", in(waiting), plainly(leave), over, "finish left"),
	Entry("ends when the runtime was replaced by hand", in(following), plainly(replaced), over,
		"log the directory was removed or replaced by hand; finish replaced"),
	Entry("ends when the tracker has", in(following), because(trackerEnded, "closed"), over, "finish failed: closed"),
	Entry("is over then", in(over), plainly(emptied), over, ""),
)

var _ = Describe("A life", func() {
	It("looks less and less often while the lease is held, and often again after a release", func() {
		l := in(asking)
		var looks []time.Duration
		again := func(e eventKind) {
			for _, a := range l.step(event{kind: held}) {
				if a.kind == setLook {
					looks = append(looks, a.after)
				}
			}
			l.step(event{kind: e})
			l.step(event{kind: vacant})
		}
		for range 15 {
			again(look)
		}
		again(released)
		again(look)
		var milliseconds []int64
		for _, d := range looks {
			milliseconds = append(milliseconds, d.Milliseconds())
		}
		Expect(milliseconds).To(Equal([]int64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 5000, 5000, 5000, 1}))
	})

	It("is stopping again when it shows members that were told to end", func() {
		l := in(waiting)
		l.step(because(toldToEnd, "its time is up"))
		l.step(plainly(look))
		Expect(script(l.step(plainly(alive)))).To(Equal("end listening; record stopping: its time is up"))
		Expect(script(l.step(because(toldToEnd, "sooner")))).To(Equal("record stopping: sooner"))
	})

	DescribeTable("has the record written that it left out, where the removal fails for the reason that the record has", func(asked event) {
		l := in(removing)
		l.step(because(unremoved, "device busy"))
		l.step(plainly(recorded))
		l.step(plainly(look))
		l.step(plainly(vacant))
		Expect(script(l.step(plainly(free)))).To(Equal("remove"))
		Expect(script(l.step(asked))).To(BeEmpty())
		Expect(script(l.step(because(unremoved, "device busy")))).To(Equal("record stopping: device busy; watch mounts; look in 10s"))
	},
		Entry("told to end", because(toldToEnd, "its time is up")),
		Entry("without its on-empty command", plainly(forgone)),
	)

	It("tries to remove less and less often while that fails", func() {
		l := in(removing)
		var looks []time.Duration
		for range 9 {
			for _, a := range l.step(because(unremoved, "device busy")) {
				if a.kind == setLook {
					looks = append(looks, a.after)
				}
			}
			l.step(plainly(look))
			l.step(plainly(vacant))
			Expect(script(l.step(plainly(free)))).To(Equal("remove"))
		}
		var seconds []float64
		for _, d := range looks {
			seconds = append(seconds, d.Seconds())
		}
		Expect(seconds).To(Equal([]float64{5, 10, 20, 40, 80, 160, 300, 300, 300}))
	})

	It("runs the on-empty command again where a member has come since", func() {
		l := withHook(in(checking), hookDone)
		l.step(plainly(alive))
		Expect(l.hook).To(Equal(hookDue))
		l.step(plainly(emptied))
		Expect(script(l.step(plainly(free)))).To(HaveSuffix("run hook"))
	})

	It("waits no longer for the lease because a removal failed", func() {
		l := in(stuck)
		l.patience = rareLook
		l.step(plainly(look))
		l.step(plainly(vacant))
		Expect(script(l.step(plainly(held)))).To(HaveSuffix("look in 5s"))
	})

	It("does not take an answer that news have overtaken, and asks anew", func() {
		l := in(asking)
		Expect(script(l.step(event{kind: emptied}))).To(BeEmpty())
		Expect(script(l.step(event{kind: free}))).To(Equal("ask lease"))
		Expect(script(l.step(event{kind: free}))).To(Equal("remove"))
	})

	It("tries to write again what could not be written, from time to time and after each change", func() {
		l := in(following)
		joined := []trees.Change{{Kind: trees.Joined}}
		Expect(script(l.step(newsOf(joined)))).To(Equal("journal +"))
		Expect(script(l.step(because(unjournaled, "disk full")))).To(Equal("log the journal cannot be written and is tried again; retry in 5s"))
		Expect(script(l.step(plainly(retry)))).To(Equal("journal "))
		Expect(script(l.step(because(unjournaled, "disk full")))).To(Equal("retry in 5s"), "logged once")
		Expect(script(l.step(newsOf(joined)))).To(Equal("journal +"), "with what is missing")
		Expect(script(l.step(plainly(journaled)))).To(Equal("log the journal is up to date again"))
		Expect(script(l.step(plainly(retry)))).To(BeEmpty())
	})

	It("tries to write what is missing in the journal before it leaves", func() {
		l := in(following)
		l.step(newsOf([]trees.Change{{Kind: trees.Joined}}))
		l.step(because(unjournaled, "disk full"))
		Expect(script(l.step(plainly(leave)))).To(Equal("journal ; finish left"))
	})

	It("writes the changes that come with the request to leave", func() {
		l := in(following)
		Expect(script(l.step(event{kind: leave, changes: []trees.Change{{Kind: trees.Joined}}}))).To(Equal("journal +; finish left"))
	})

	It("goes on, and removes, with a record that cannot be written", func() {
		l := in(asking)
		l.step(plainly(held))
		Expect(script(l.step(because(unrecorded, "disk full")))).To(Equal("log the record cannot be written and is tried again; retry in 5s"))
		Expect(script(l.step(plainly(released)))).To(Equal("check table"))
		Expect(script(l.step(plainly(retry)))).To(Equal("record unknown: " + reasonHeld))
		Expect(script(l.step(plainly(vacant)))).To(Equal("ask lease"))
		Expect(script(l.step(plainly(free)))).To(Equal("remove"))
	})
})

var _ = DescribeTable("The news of one moment", func(kinds []trees.ChangeKind, news eventKind) {
	var changes []trees.Change
	for _, k := range kinds {
		changes = append(changes, trees.Change{Kind: k, Err: errors.New("no memory")})
	}
	Expect(newsOf(changes).kind).To(Equal(news))
	Expect(newsOf(changes).changes).To(HaveLen(len(kinds)))
},
	Entry("are of members", []trees.ChangeKind{trees.Joined, trees.Left}, members),
	Entry("are that none is left", []trees.ChangeKind{trees.Left, trees.Emptied}, emptied),
	Entry("are of a member that turned up after that", []trees.ChangeKind{trees.Emptied, trees.Joined}, members),
	Entry("are that the table cannot be read, whatever else", []trees.ChangeKind{trees.Emptied, trees.Unreadable, trees.Left}, unreadable),
	Entry("are that it can be read again, and has to be", []trees.ChangeKind{trees.Unreadable, trees.Readable, trees.Joined}, readable),
	Entry("are that none is left, when it could be read", []trees.ChangeKind{trees.Readable, trees.Emptied}, emptied),
	Entry("are of processes that do not count", []trees.ChangeKind{trees.Released, trees.Ended}, noted),
	Entry("are of a member beside these", []trees.ChangeKind{trees.Released, trees.Left}, members),
	Entry("are that none is left after a release", []trees.ChangeKind{trees.Released, trees.Emptied}, emptied),
	Entry("are still that when another released one ends", []trees.ChangeKind{trees.Emptied, trees.Ended}, emptied),
)

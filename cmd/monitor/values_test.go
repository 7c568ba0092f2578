package main

import (
	"strings"
	"time"

	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// nameOf makes a name of a program as the table has it.
func nameOf(text string) (n process.Name) {
	Expect(n.UnmarshalText([]byte(text))).To(Succeed())
	return n
}

func identity(pid int) process.Identity {
	return process.Identity{PID: pid, Start: process.StartTime(pid), Boot: "b00t"}
}

// member returns a process that joined as a child, or by another link if one is given.
func member(pid, parent int, command string, link ...trees.Link) trees.Member {
	m := trees.Member{
		Process: process.Process{Identity: identity(pid), Parent: parent, Group: pid, Session: 10, User: 501, Command: nameOf(command)},
		Link:    trees.Link{Kind: trees.LinkParent, Through: identity(parent)},
		Joined:  time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	if len(link) > 0 {
		m.Link = link[0]
	}
	return m
}

var theRoot = trees.Link{Kind: trees.LinkRoot}

// aStatus has every field set.
func aStatus() monitor.Status {
	watcher := identity(20)
	return monitor.Status{
		Record: monitor.Record{
			Version: 1, Name: "build", State: monitor.StateUnknown, Reason: "no memory",
			Owner: identity(10), Monitor: &watcher, Command: []string{"make", "-j 8"},
			StartedIn: "/src", User: 501, Host: "box", Created: time.Date(2026, 1, 2, 3, 4, 5, 600000000, time.UTC),
		},
		Root: "/store/runtimes/build/root", Log: "/store/runtimes/build/monitor.log",
		Members: []trees.Member{member(10, 5, "make", theRoot), member(11, 10, "cc")},
	}
}

// now is when the specs look, without a terminal, as the user whose processes they are.
func now(t time.Time) view { return view{t, 501, 0} }

// lines takes the indentation of the spec from a drawing.
func lines(text string) string {
	text = strings.TrimPrefix(text, "\n")
	indent := text[:len(text)-len(strings.TrimLeft(text, "\t"))]
	text = strings.ReplaceAll("\n"+text, "\n"+indent, "\n")
	return strings.TrimRight(text[1:], "\t")
}

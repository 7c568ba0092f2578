package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A detail is what a user wants to know of a process besides its row. What cannot be known
// is left out.
type detail struct {
	// Arguments are at most 4 KiB of the words that its program was started with.
	Arguments []string `json:"arguments,omitempty"`
	// Cut means that there are more.
	Cut      bool      `json:"arguments_cut,omitempty"`
	Started  time.Time `json:"started,omitzero"`
	UserName string    `json:"user_name,omitempty"`
}

// A shownMember is a member with details.
type shownMember struct {
	trees.Member
	detail
}

// A shownProcess is a process with details.
type shownProcess struct {
	process.Process
	detail
}

// Names are those of users, looked up once.
type names map[int]string

// name returns the name of a user, or "".
func (n names) name(id int) string {
	name, known := n[id]
	if !known {
		if name = userName(id); name == strconv.Itoa(id) {
			name = ""
		}
		n[id] = name
	}
	return name
}

// An observer finds out details. Where the process table cannot be opened, it knows fewer.
type observer struct {
	reader *process.Reader
	names
}

func newObserver() *observer {
	o := &observer{names: make(names)}
	if reader, err := process.OpenReader(); err == nil {
		o.reader = reader
	}
	return o
}

func (o *observer) close() {
	if o.reader != nil {
		o.reader.Close()
	}
}

func (o *observer) detail(p process.Process) (d detail) {
	if o.reader != nil {
		if a, err := o.reader.Arguments(p.Identity); err == nil {
			d.Arguments, d.Cut = a.Words, a.Cut
		}
	}
	if started, known := p.Started(); known {
		d.Started = started.UTC().Truncate(time.Millisecond)
	}
	d.UserName = o.name(p.User)
	return d
}

func (o *observer) members(members []trees.Member) []shownMember {
	shown := make([]shownMember, len(members))
	for i, m := range members {
		shown[i] = shownMember{m, o.detail(m.Process)}
	}
	return shown
}

func (o *observer) processes(all []process.Process) []shownProcess {
	shown := make([]shownProcess, len(all))
	for i, p := range all {
		shown[i] = shownProcess{p, o.detail(p)}
	}
	return shown
}

// command returns the command line of a process, else the kernel's name of the program.
func (d detail) command(p process.Process) string {
	if len(d.Arguments) == 0 {
		return plain(p.Command.String())
	}
	line := commandLine(d.Arguments)
	if d.Cut {
		line += " …"
	}
	return line
}

// A view is how processes are shown.
type view struct {
	now   time.Time
	self  int // the user whose processes need no name
	width int // of the terminal, 0 for none
}

func viewFor(out io.Writer) view { return view{time.Now(), os.Geteuid(), width(out)} }

// circumstances returns in brackets how old a process is, whose it is if it is another
// user's, and its state if it does not run. It returns "" where there is nothing to say.
func (v view) circumstances(p process.Process, d detail) string {
	var all []string
	if !d.Started.IsZero() {
		all = append(all, age(v.now.Sub(d.Started)))
	}
	if p.User != v.self && p.Start != 0 { // the user of one that /proc hides is not known
		all = append(all, userWords(p.User, d.UserName))
	}
	if p.State != process.Running {
		all = append(all, p.State.String())
	}
	if len(all) == 0 {
		return ""
	}
	return " (" + strings.Join(all, ", ") + ")"
}

// userWords returns the name of a user, else the number in words.
func userWords(id int, name string) string {
	if name == "" {
		return fmt.Sprint("user ", id)
	}
	return plain(name)
}

// age returns a time in the two largest units that it has.
func age(d time.Duration) string {
	d = max(0, d)
	seconds := int(d.Seconds())
	switch minutes, hours := seconds/60, seconds/3600; {
	case minutes == 0:
		return fmt.Sprintf("%d s", seconds)
	case hours == 0:
		return fmt.Sprintf("%d min", minutes)
	case hours < 24:
		return fmt.Sprintf("%d h %d min", hours, minutes%60)
	default:
		return fmt.Sprintf("%d d %d h", hours/24, hours%24)
	}
}

//go:build darwin || linux

package harness

import (
	"fmt"
	"os"
	"strings"

	"github.com/gemini-monitor/gemini/harness/internal/terminal"
)

// An outlet is the output of a job.
type outlet struct {
	*terminal.Recording
	writers
	reader *terminal.Reader
	read   int // offset of what Expect has not returned yet
}

func (j *Job) newOutlet(file *os.File) (*outlet, error) {
	file, err := polled(file)
	if err != nil {
		return nil, err
	}
	o := &outlet{Recording: terminal.NewRecording(24, 80), writers: newWriters()}
	if o.reader, err = terminal.NewReader(file, o.Recording); err != nil {
		return nil, err
	}
	go o.follow(j.tree, o.reader.Done(), o.reader.CatchUp)
	return o, nil
}

// all returns the text with plain line ends.
func (o *outlet) all() string {
	o.reader.CatchUp()
	return o.Text(0, o.Len())
}

// apart reports whether standard error has an outlet of its own. After a failed start a job
// may have none.
func (j *Job) apart() bool { return j.errors != nil && j.errors != j.out }

// apartErrors returns the outlet of standard error, nil without Apart.
func (j *Job) apartErrors() *outlet {
	if !j.apart() {
		return nil
	}
	return j.errors
}

// catchUp reads what the job has written so far.
func (j *Job) catchUp() {
	for _, o := range []*outlet{j.out, j.apartErrors()} {
		if o != nil {
			o.reader.CatchUp()
		}
	}
}

// lastOf returns the end of what an outlet has had as a part of a message, "" if that is
// nothing.
func lastOf(name string, o *outlet) string {
	if o == nil {
		return ""
	}
	o.reader.CatchUp()
	if o.Len() == 0 {
		return ""
	}
	return fmt.Sprintf("; last %s: %q", name, o.Last(0))
}

// lastWords returns the last output of the job as a part of a message.
func (j *Job) lastWords() string {
	return lastOf("output", j.out) + lastOf("standard error", j.apartErrors())
}

// writings returns all output of the job, shortened, with headings, for a report.
func (j *Job) writings() string {
	return j.out.section(j.name+" wrote") + j.apartErrors().section(j.name+" wrote to standard error")
}

// section returns all output with a heading, "" without any.
func (o *outlet) section(heading string) string {
	if o == nil {
		return ""
	}
	text := strings.TrimSpace(o.all())
	if text == "" {
		return ""
	}
	lines := strings.Split(brief(text, 2000), "\n")
	for i, line := range lines {
		lines[i] = terminal.Visible(line)
	}
	return fmt.Sprintf("\n  %s\n%s\n", heading, strings.Join(lines, "\n"))
}

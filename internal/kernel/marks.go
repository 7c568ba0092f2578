package kernel

import (
	"os"
	"time"

	"github.com/gemini-monitor/gemini/internal/mark"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// Marks returns the marks in the environment of a process. See [process.Reader.Settings] for
// the errors. Processes of other users are not asked, but by root.
func (k *Kernel) Marks(p process.Row) (marks []string, cost time.Duration, err error) {
	if user := os.Geteuid(); user != 0 && user != p.User {
		return nil, 0, nil
	}
	cost = costOf(func() {
		var values []string
		values, err = k.reader.Settings(p.Identity, mark.Variable)
		for _, value := range values {
			marks = append(marks, mark.Parse(value)...)
		}
	})
	return marks, cost, err
}

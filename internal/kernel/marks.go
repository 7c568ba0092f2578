package kernel

import (
	"os"
	"time"

	"github.com/gemini-monitor/gemini/internal/mark"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// Marks returns the marks in the environment of a process. See [process.Reader.Settings] for
// the errors. Processes of other users are not asked, but by root. Where one must not be
// dumped, its files are root's: whose it is shows when it is asked.
func (k *Kernel) Marks(p process.Row) (marks []string, cost time.Duration, err error) {
	if user := os.Geteuid(); user != 0 && user != p.User && p.User != 0 {
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

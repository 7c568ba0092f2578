package resident

import (
	"os"
	"strings"

	"github.com/gemini-monitor/gemini/monitor"
)

// GaveUp returns why the guard of a store's resident has given up, and "" where it has not,
// or the next start has told so.
func GaveUp(s *monitor.Store) string {
	text, _ := os.ReadFile(failedPath(s))
	return strings.TrimSpace(string(text))
}

// OlderThan reports whether the resident is of an older version than a program, which has it
// hand over.
func (s Status) OlderThan(version string) bool { return older(s.Version, version) }

// NewerThan reports whether the resident is of a newer version than a program.
func (s Status) NewerThan(version string) bool { return older(version, s.Version) }

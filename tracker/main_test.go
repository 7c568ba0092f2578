//go:build darwin || linux

package tracker

import (
	"testing"

	"github.com/gemini-monitor/gemini/internal/testproc"
)

func TestMain(m *testing.M) { testproc.Main(m, map[string]func(){"observer": observer}) }

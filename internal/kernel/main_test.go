//go:build darwin || linux

package kernel

import (
	"testing"

	"github.com/gemini-monitor/gemini/internal/testproc"
)

func TestMain(m *testing.M) { testproc.Main(m, nil) }

//go:build darwin || linux

// Package role runs what a program of the harness is started as.
package role

import (
	"os"

	"github.com/gemini-monitor/gemini/harness/internal/puppet"
	"github.com/gemini-monitor/gemini/harness/internal/warden"
	"github.com/gemini-monitor/gemini/harness/internal/wire"
)

// Play runs the role of this process and does not return, or returns if it has none.
func Play() {
	switch role, arguments := wire.OwnRole(); role {
	case wire.Puppet:
		puppet.Main(arguments)
	case wire.Warden:
		warden.Main(arguments)
	}
}

// Main is the program that has roles only. Without one it is a puppet.
func Main() {
	Play()
	puppet.Main(os.Args[1:])
}

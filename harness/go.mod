module github.com/gemini-monitor/gemini/harness

go 1.26.0

require (
	github.com/clipperhouse/displaywidth v0.11.0
	github.com/creack/pty v1.1.24
	golang.org/x/sys v0.49.0
)

require github.com/clipperhouse/uax29/v2 v2.7.0 // indirect

module example.com/repl

go 1.26.0

require golang.org/x/term v0.47.0

require (
	github.com/clipperhouse/displaywidth v0.11.0 // indirect
	github.com/clipperhouse/uax29/v2 v2.7.0 // indirect
	github.com/creack/pty v1.1.24 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

require github.com/gemini-monitor/gemini/harness v0.0.0

replace github.com/gemini-monitor/gemini/harness => ../..

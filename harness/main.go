//go:build darwin || linux

package harness

import (
	"os"

	"github.com/gemini-monitor/gemini/harness/internal/role"
)

// An M is what Main runs: a *testing.M.
type M interface{ Run() int }

// Main runs the tests of a package and exits. TestMain calls it first:
//
//	func TestMain(m *testing.M) { harness.Main(m) }
//
// The harness starts the test binary again as its puppets and wardens; Main is where these
// begin. At the end Main removes the temporary directory of the run, harness-NUMBER below
// that of the system, with the programs that [Program] has built. If the test binary is
// killed, its wardens remove that, or the next run of the same user does.
func Main(m M) {
	role.Play() // does not return in a puppet or a warden
	hasMain = true
	_, _ = programs.open() // an error comes again in New
	code := m.Run()
	if err := programs.remove(); err != nil && code == 0 {
		os.Stderr.WriteString("harness: " + err.Error() + "\n")
		code = 1
	}
	os.Exit(code)
}

// hasMain is set once Main was called. Without it, the test binary that is started as a
// puppet would run all tests again.
var hasMain bool

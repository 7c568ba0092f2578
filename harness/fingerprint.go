//go:build darwin || linux

package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// fingerprint describes the machine, its load, the limits and the shells, a line each.
func fingerprint(ctx context.Context) string {
	var page strings.Builder
	fmt.Fprintf(&page, "machine  %s, %d cores, %s, user %d\n", kernel(), runtime.NumCPU(), runtime.Version(), os.Getuid())
	fmt.Fprintf(&page, "load     %s\n", strings.TrimSpace(first(ctx, "uptime")))
	var limits []string
	for _, l := range []struct {
		name     string
		resource int
	}{{"processes", unix.RLIMIT_NPROC}, {"files", unix.RLIMIT_NOFILE}} {
		var limit unix.Rlimit
		if unix.Getrlimit(l.resource, &limit) == nil {
			limits = append(limits, fmt.Sprintf("%s %d of %d", l.name, int64(limit.Cur), int64(limit.Max)))
		}
	}
	fmt.Fprintf(&page, "limits   %s\n", strings.Join(limits, ", "))
	fmt.Fprintf(&page, "shells   %s; %s\n", version.FindString(first(ctx, "bash", "--version")), version.FindString(first(ctx, "zsh", "--version")))
	return page.String()
}

var version = regexp.MustCompile(`^.*?\d[\w.()-]*`)

// kernel returns name, release and architecture of the kernel.
func kernel() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return runtime.GOOS
	}
	return fmt.Sprintf("%s %s %s", unix.ByteSliceToString(name.Sysname[:]), unix.ByteSliceToString(name.Release[:]), unix.ByteSliceToString(name.Machine[:]))
}

// first returns the first line that a command prints, empty if it does not exist.
func first(ctx context.Context, argv ...string) string {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	starting.Lock()
	defer starting.Unlock()
	out, _ := cmd.Output()
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}

// A named test has a name by which it can be run alone.
type named interface{ Name() string }

// A seeded test has the number from which the order of the tests was made.
type seeded interface{ RandomSeed() int64 }

// nameOf returns the name of the test, empty if it has none.
func nameOf(t T) string {
	if n, ok := t.(named); ok {
		return n.Name()
	}
	return ""
}

const execVariable = "GEMINI_EXEC"

// replay returns the command that runs the test alone.
func replay(t T) string { return Replay(t, regexp.QuoteMeta(nameOf(t))+"$") }

// Replay returns a shell command, for the root of the module, that runs the tests
// whose names match pattern with the seed and the GEMINI_ variables of this run.
// Settings, each a NAME=VALUE, override the variables.
func Replay(t T, pattern string, settings ...string) string {
	var words []string
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "GEMINI_") && name != "GEMINI_REPORTS" && name != execVariable {
			words = append(words, name+"="+quote(value))
		}
	}
	for _, setting := range settings { // after the others: the last assignment of a name holds
		name, value, _ := strings.Cut(setting, "=")
		words = append(words, name+"="+quote(value))
	}
	pattern = quote(pattern)
	s, seeded := t.(seeded)
	if runner := os.Getenv(execVariable); runner != "" {
		if hasSource() {
			runner = execVariable + "=" + quote(runner)
		}
		words = append(words, runner)
	}
	switch {
	case seeded && hasSource():
		words = append(words, "go tool -modfile=tools.mod ginkgo --focus", pattern, "--seed", strconv.FormatInt(s.RandomSeed(), 10), "./"+here())
	case seeded: // a test binary that was built for another system, or on another machine
		words = append(words, quote(os.Args[0]), "--ginkgo.focus", pattern, "--ginkgo.seed", strconv.FormatInt(s.RandomSeed(), 10))
	default:
		words = append(words, "go test -count=1 -run", pattern, "./"+here())
	}
	return strings.Join(words, " ")
}

// hasSource reports whether the working directory has the source of the tests.
func hasSource() bool {
	files, err := filepath.Glob("*_test.go")
	return err == nil && len(files) > 0
}

// quote returns text as one word of a shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// here returns the directory of the package under test, relative to its module.
func here() string {
	at, err := os.Getwd() // go test and ginkgo run a package's tests in its directory
	root := moduleRoot()
	if err != nil || root == "" {
		return "..."
	}
	relative, err := filepath.Rel(root, at)
	if err != nil {
		return "..."
	}
	return relative
}

// moduleRoot returns the nearest directory upwards with a go.mod, empty if there is
// none.
func moduleRoot() string {
	dir, err := os.Getwd()
	for err == nil && !isFile(filepath.Join(dir, "go.mod")) {
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
	return dir
}

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

// fingerprint says on what machine this is, in as many lines as have a subject.
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

func kernel() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return runtime.GOOS
	}
	return fmt.Sprintf("%s %s %s", unix.ByteSliceToString(name.Sysname[:]), unix.ByteSliceToString(name.Release[:]), unix.ByteSliceToString(name.Machine[:]))
}

// first is the first line that a command prints, nothing if there is no such command.
func first(ctx context.Context, argv ...string) string {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	starting.Lock()
	defer starting.Unlock()
	out, _ := cmd.Output()
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}

// A named test has a name by which it can be asked for.
type named interface{ Name() string }

// A seeded test ran in an order that came of a number, as Ginkgo's do.
type seeded interface{ RandomSeed() int64 }

// nameOf is the name of the test, empty if it has none.
func nameOf(t T) string {
	if n, ok := t.(named); ok {
		return n.Name()
	}
	return ""
}

const execVariable = "GEMINI_EXEC"

// replay is the command that runs the test alone.
func replay(t T) string { return Replay(t, regexp.QuoteMeta(nameOf(t))+"$") }

// Replay is the command that runs the tests whose names match pattern as t was
// run, from the root of the module: with its seed and the same GEMINI_ variables,
// but for the settings, each a NAME=VALUE, that are given here.
func Replay(t T, pattern string, settings ...string) string {
	var words []string
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "GEMINI_") && name != "GEMINI_REPORTS" && name != execVariable {
			words = append(words, name+"="+quote(value))
		}
	}
	for _, setting := range settings { // after the others: the last one counts
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
	case seeded: // a test binary that was built for another system, or elsewhere
		words = append(words, quote(os.Args[0]), "--ginkgo.focus", pattern, "--ginkgo.seed", strconv.FormatInt(s.RandomSeed(), 10))
	default:
		words = append(words, "go test -count=1 -run", pattern, "./"+here())
	}
	return strings.Join(words, " ")
}

// hasSource tells whether the package under test is where we are.
func hasSource() bool {
	files, err := filepath.Glob("*_test.go")
	return err == nil && len(files) > 0
}

// quote makes text one word of a shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// here is the directory of the package under test, seen from its module.
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

// moduleRoot is the nearest directory upwards with a go.mod, empty if there is none.
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

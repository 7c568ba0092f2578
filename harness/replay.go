//go:build darwin || linux

package harness

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A named test has a name by which it can be run alone.
type named interface{ Name() string }

// A seeded test has the number from which the order of the tests was made. Ginkgo's
// tests have one.
type seeded interface{ RandomSeed() int64 }

func isGinkgo(t T) bool {
	_, ok := t.(seeded)
	return ok
}

// nameOf returns the name of the test, empty if it has none.
func nameOf(t T) string {
	if n, ok := t.(named); ok {
		return n.Name()
	}
	return ""
}

// replayed has the beginnings of the names of variables that replay lines set.
var replayed = struct {
	sync.Mutex
	prefixes []string
}{prefixes: []string{"HARNESS_"}}

// ReplayEnvironment makes the replay line of each later report set the variables of
// this run whose names begin with one of prefixes, as it does with HARNESS_ except
// HARNESS_REPORTS. A suite whose tests depend on variables of its own calls it once. Any
// goroutine may call it.
func ReplayEnvironment(prefixes ...string) {
	replayed.Lock()
	defer replayed.Unlock()
	replayed.prefixes = append(replayed.prefixes, prefixes...)
}

// replay returns the command that runs the test alone.
func replay(t T) string {
	if isGinkgo(t) {
		return Replay(t, regexp.QuoteMeta(nameOf(t))+"$")
	}
	elements := strings.Split(nameOf(t), "/") // the test, its subtest, and so on
	for i, e := range elements {
		elements[i] = "^" + regexp.QuoteMeta(e) + "$"
	}
	return Replay(t, strings.Join(elements, "/"))
}

// Replay returns a shell command, for the root of the module under test, that runs the
// tests whose names match pattern: with the -race, -tags and -short of this run, with
// the seed of a Ginkgo suite, with the HARNESS_ variables except HARNESS_REPORTS, which may
// be a directory of another machine, and with those that ReplayEnvironment names. Settings, each a NAME=VALUE, override the variables. Of a
// test binary that runs where its sources are not, it returns a command that runs the
// binary.
func Replay(t T, pattern string, settings ...string) string {
	words := variables(os.Environ(), settings)
	runner := os.Getenv(execVariable)
	sources := hasSource()
	if sources {
		words = append(words, goTest(runner)...)
	} else {
		if runner != "" {
			words = append(words, runner)
		}
		words = append(words, word(testBinary()))
	}
	if s, ok := t.(seeded); ok {
		words = append(words, "--ginkgo.focus="+word(pattern), "--ginkgo.seed="+strconv.FormatInt(s.RandomSeed(), 10))
	} else if sources {
		words = append(words, "-run "+word(pattern))
	} else {
		words = append(words, "-test.run "+word(pattern))
	}
	return strings.Join(words, " ")
}

// variables returns the assignments of a replay line. The settings come after those of
// the environment: the last assignment of a name holds.
func variables(environment, settings []string) (words []string) {
	replayed.Lock()
	defer replayed.Unlock()
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		if name == execVariable || name == reportsVariable {
			continue
		}
		if name == programsVariable && value != "" && !filepath.IsAbs(value) {
			value = filepath.Join(launched, value)
		}
		if slices.ContainsFunc(replayed.prefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
			words = append(words, name+"="+word(value))
		}
	}
	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		words = append(words, name+"="+word(value))
	}
	return words
}

// goTest returns the go command that builds the package under test as this binary was
// built, and runs it, by runner if there is one.
func goTest(runner string) []string {
	built := buildSettings()
	var words, flags []string
	if runner != "" { // the binary may be of another system than the go command
		words = append(words, "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH, "CGO_ENABLED="+word(built["CGO_ENABLED"]), execVariable+"="+word(runner))
		flags = append(flags, "-exec "+word(runner))
	}
	for _, f := range buildFlags(built, true) {
		flags = append(flags, word(f))
	}
	if short := flag.Lookup("test.short"); short != nil && short.Value.String() == "true" {
		flags = append(flags, "-short")
	}
	return append(append(words, "go test -count=1"), append(flags, word(here()))...)
}

// launched is the directory in which the tests were started: go test and ginkgo start
// those of a package in its directory.
var launched, _ = os.Getwd()

// hasSource reports whether the tests run where their sources and a go command are.
func hasSource() bool {
	files, err := filepath.Glob(filepath.Join(launched, "*_test.go"))
	if err != nil || len(files) == 0 || moduleRoot() == "" {
		return false
	}
	_, err = exec.LookPath("go")
	return err == nil
}

// testBinary returns the path of the test binary.
func testBinary() string {
	name := os.Args[0]
	if strings.Contains(name, "/") && !filepath.IsAbs(name) {
		return filepath.Join(launched, name)
	}
	return name
}

// here returns the directory of the package under test, as the go command takes it in
// the root of the module.
func here() string {
	relative, err := filepath.Rel(moduleRoot(), launched)
	switch {
	case err != nil:
		return "./..."
	case relative == ".":
		return relative
	}
	return "./" + relative
}

// moduleRoot returns the nearest directory with a go.mod, from launched upwards, empty if
// there is none.
func moduleRoot() string {
	for dir := launched; dir != ""; dir = filepath.Dir(dir) {
		if isFile(filepath.Join(dir, "go.mod")) {
			return dir
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	return ""
}

var unquoted = regexp.MustCompile(`^[\w./:,=@%+-]+$`)

// word returns text as one word of a shell, quoted if it must be.
func word(text string) string {
	if unquoted.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

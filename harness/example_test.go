//go:build darwin || linux

package harness_test

import (
	_ "embed"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/gemini-monitor/gemini/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// The example of the package comment.
func TestDaemonOutlivesItsCommand(t *testing.T) {
	stage := harness.New(t)
	job := stage.Start("puppet", "owner") // the program under test goes in front
	owner := stage.Puppet("owner")
	daemon := owner.DoubleFork("daemon", harness.OwnSession)
	owner.Exit(0)
	job.ExpectExit(0)

	if job.Alive() != harness.Yes { // the daemon
		t.Fatal(job.Census())
	}
	daemon.Exit(0)
	job.ExpectNobody()
}

//go:embed harness.go
var comment string

//go:embed example_test.go
var source string

// TestPackageComment keeps the comment and the test above the same.
func TestPackageComment(t *testing.T) {
	_, example, _ := strings.Cut(comment, "//\tfunc TestDaemon")
	example, _, _ = strings.Cut(example, "//\t}\n")
	example = strings.ReplaceAll(strings.ReplaceAll(example, "//\t", ""), "//\n", "\n")
	if example == "" || !strings.Contains(source, example) {
		t.Errorf("the example in the package comment is not the test that runs:\n%s", example)
	}
}

// exampleT stands for the *testing.T of a test, which an example does not have.
type exampleT struct{ cleanups []func() }

func (t *exampleT) Helper()                   {}
func (t *exampleT) Failed() bool              { return false }
func (t *exampleT) Cleanup(f func())          { t.cleanups = append(t.cleanups, f) }
func (t *exampleT) Logf(string, ...any)       {}
func (t *exampleT) Skipf(f string, a ...any)  { panic(fmt.Sprintf(f, a...)) }
func (t *exampleT) Errorf(f string, a ...any) { fmt.Printf(f+"\n", a...) }
func (t *exampleT) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
func (t *exampleT) end() {
	for _, f := range t.cleanups {
		defer f()
	}
}

func ExampleNew() {
	t := &exampleT{} // in a test, its *testing.T
	defer t.end()

	stage := harness.New(t)
	stage.Setenv("GREETING", "hello")
	result := stage.Run("sh", "-c", `echo "$GREETING"; exit 3`)
	fmt.Print(result.Stdout, result.Status, "\n")
	// Output:
	// hello
	// exit 3
}

func ExampleStage_Command() {
	t := &exampleT{}
	defer t.end()
	stage := harness.New(t)

	job := stage.Command("sort", "-n").Input("3\n10\n2\n").Start()
	job.ExpectExit(0)
	fmt.Print(job.Output())
	// Output:
	// 2
	// 3
	// 10
}

func ExampleJob() {
	t := &exampleT{}
	defer t.end()
	stage := harness.New(t)

	job := stage.Command("cat").Pipe().Start()
	job.Write("version 12\n")
	match := job.Expect("error", harness.Pattern(`version (\d+)`))
	fmt.Println(match.Index, match.Groups[0])
	job.CloseInput()
	job.ExpectExit(0)
	// Output:
	// 1 12
}

func ExampleTree() {
	t := &exampleT{}
	defer t.end()
	stage := harness.New(t)

	// A process that keeps nothing by which it could be found.
	job := stage.Start("sh", "-c", "env -i sleep 60 >/dev/null 2>&1 3>&- &")
	job.ExpectExit(0)
	job.Oracle().ExpectGone()
	fmt.Println(job.Alive())
	for _, member := range job.Members() {
		if err := stage.Signal(member.PID, syscall.SIGKILL); err != nil {
			fmt.Println(err)
		}
	}
	job.ExpectNobody()
	fmt.Println(job.Alive())
	// Output:
	// yes
	// no
}

func ExamplePuppet() {
	t := &exampleT{}
	defer t.end()
	stage := harness.New(t)

	job := stage.Start("sh", "-c", "puppet worker & wait $!")
	worker := stage.Puppet("worker")
	child := worker.Fork("child", harness.OwnGroup)
	worker.Die(syscall.SIGKILL)
	job.ExpectExit(128 + int(syscall.SIGKILL))
	fmt.Println(job.Alive()) // the child
	child.Exit(0)
	job.ExpectNobody()
	// Output:
	// yes
}

func ExampleOracle() {
	t := &exampleT{}
	defer t.end()
	stage := harness.New(t)

	job := stage.Start("sh", "-c", "puppet leaf &")
	leaf := stage.Puppet("leaf")
	job.ExpectExit(0)
	fmt.Println(job.Oracle().Held())
	leaf.Exit(0)
	job.Oracle().ExpectGone()
	fmt.Println(job.Oracle().Held())
	// Output:
	// true
	// false
}

func ExampleTerminal() {
	t := &exampleT{}
	defer t.end()
	stage := harness.New(t)

	// The bytes say "Apply old", go back to column 7 and say "new".
	term := stage.Command("sh", "-c", `printf 'Apply old\033[7Gnew'; read answer`).Size(5, 20).Terminal()
	term.ExpectScreen("Apply new")
	term.Key(harness.CtrlC)
	term.ExpectKilled(syscall.SIGINT)
	fmt.Println(term.Screen())
	// Output:
	// Apply new
}

func ExampleShell() {
	t := &exampleT{}
	defer t.end()
	stage := harness.New(t)

	sh := stage.Shell(harness.Sh)
	output, status := sh.Run("echo hello; false")
	fmt.Print(output, status, "\n")
	sh.Send("puppet fore")
	stage.Puppet("fore")
	sh.Suspend()
	sh.Foreground()
	sh.Interrupt()
	fmt.Println(sh.Exit())
	// Output:
	// hello
	// 1
	// exit 0
}

package main

import (
	"syscall"
	"testing"

	"github.com/gemini-monitor/gemini/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// repl starts the program at a terminal of 8 rows that echoes, as for a person.
func repl(t *testing.T) *harness.Terminal {
	t.Parallel()
	stage := harness.New(t, harness.Program("."))
	term := stage.Command("repl").Env("TERM", "xterm").Size(8, 60).Echo().Terminal()
	term.Expect("> ")
	return term
}

func TestExpressionHasAValue(t *testing.T) {
	term := repl(t)
	term.Send("1+2")
	term.Expect("1+2\n= 3\n> ")
	term.Send("1+")
	term.Expect(harness.Pattern(`\? .*expected operand`))
}

func TestInterruptThrowsTheLineAway(t *testing.T) {
	term := repl(t)
	term.Press("1+")
	term.Expect("1+") // ^C throws away what is not shown yet
	term.Key(harness.CtrlC)
	term.Expect("^C\n> ")
	term.Send("5")
	term.Expect("= 5\n> ")
}

func TestEndOfInputEndsTheProgram(t *testing.T) {
	term := repl(t)
	term.Key(harness.CtrlD)
	term.ExpectExit(0)
	term.ExpectNobody()
}

func TestMenuIsWhatTheUserSees(t *testing.T) {
	term := repl(t)
	term.Send("menu")
	term.ExpectScreen("What shall be done?")
	term.ExpectScreen("Item 1 of 3")
	term.Key(harness.Down)
	term.ExpectScreen("Item 2 of 3")                    // one digit was drawn
	term.ExpectScreen(harness.Styled("7", " Keep old")) // the bar, in reverse
	term.Key(harness.Enter)
	term.ExpectScreen("> menu\npicked Keep old\n>") // the screen before the menu is back
}

func TestSignalLeavesNothing(t *testing.T) {
	term := repl(t)
	term.Signal(syscall.SIGTERM)
	term.ExpectKilled(syscall.SIGTERM)
	term.ExpectNobody()
}

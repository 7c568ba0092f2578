package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A hint is what has a shell show the name of its runtime in its prompt: settings of the
// environment, and arguments before those of the user. No file is written or changed, and
// where a start-up file sets the same, that wins.
type hint struct {
	environment map[string]string
	arguments   []string
}

// hintFor returns the hint for the shell at a path. getenv returns a variable of the
// environment. A name of a runtime has no character that a shell expands.
func hintFor(path, name string, getenv func(string) string) (hint, error) {
	label := "(" + name + ") "
	switch shell := filepath.Base(path); shell {
	case "bash":
		// Bash runs PROMPT_COMMAND before each prompt, so after its start-up files.
		commands := getenv("PROMPT_COMMAND")
		if commands != "" {
			commands += "\n"
		}
		return hint{environment: map[string]string{"PROMPT_COMMAND": commands + bashHint}}, nil
	case "zsh":
		// Zsh has nothing like it, and start-up files set the left prompt (macOS /etc/zshrc).
		return hint{environment: map[string]string{"RPS1": strings.TrimSpace(label + getenv("RPS1"))}}, nil
	case "fish":
		return hint{arguments: []string{"--init-command", fishHint}}, nil
	case "sh", "dash", "ash", "ksh", "mksh":
		return hint{environment: map[string]string{"PS1": label + promptSign()}}, nil
	default:
		return hint{}, fmt.Errorf("--prompt knows bash, zsh, fish and sh, not %q", shell)
	}
}

// bashHint puts the name in front of the prompt, unless it is there.
const bashHint = `case $PS1 in "($MONITOR_RUNTIME) "*) ;; *) PS1="($MONITOR_RUNTIME) $PS1" ;; esac`

// fishHint wraps the function that draws the prompt, whatever the user has made of it.
const fishHint = `functions --copy fish_prompt __monitor_prompt
function fish_prompt; printf '(%s) ' $MONITOR_RUNTIME; __monitor_prompt; end`

// promptSign returns the end of a plain prompt, as sh(1) has it.
func promptSign() string {
	if os.Geteuid() == 0 {
		return "# "
	}
	return "$ "
}

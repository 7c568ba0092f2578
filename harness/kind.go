//go:build darwin || linux

package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// A Kind is one of the shells people use.
type Kind string

// The shells. Sh is what /bin/sh is here: dash on Debian, bash 3.2 in POSIX
// mode on macOS.
const (
	Bash Kind = "bash"
	Zsh  Kind = "zsh"
	Sh   Kind = "sh"
)

// Kinds are all of them.
var Kinds = []Kind{Bash, Zsh, Sh}

// Path is where the shell is installed.
func (k Kind) Path() (string, error) {
	if k == Sh {
		return "/bin/sh", nil
	}
	return exec.LookPath(string(k))
}

// command is the shell at its quietest: no start-up files, no line editor.
func (k Kind) command() []string {
	switch k {
	case Bash:
		return []string{"bash", "--norc", "--noprofile", "--noediting", "-i"}
	case Zsh:
		return []string{"zsh", "-f", "+Z", "-V", "+o", "notify", "-i"}
	default:
		return []string{"/bin/sh", "-i"}
	}
}

// prompt is a prompt that carries the status of the last command. What is
// shown differs from what is set, so no echo and no listing of the environment
// passes for it.
func (k Kind) prompt(mark string) string {
	if k == Zsh {
		return "{" + mark + ":%?} "
	}
	return "{" + mark + ":$?} "
}

// writeStartup writes start-up files into home that make a shell started by
// somebody else (a monitor, say) as quiet as one of ours, with the same prompt.
func writeStartup(home, mark string) error {
	files := map[string]string{
		".bashrc": fmt.Sprintf("set +o emacs +o vi\nPS1='%s'\n", Bash.prompt(mark)),
		".zshrc":  fmt.Sprintf("unsetopt zle promptcr promptsp notify\nPS1='%s'\n", Zsh.prompt(mark)),
		".shrc":   fmt.Sprintf("PS1='%s'\n", Sh.prompt(mark)),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("write the start-up files: %w", err)
		}
	}
	return nil
}

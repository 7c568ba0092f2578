//go:build darwin || linux

package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// A Kind is a kind of shell.
type Kind string

// The shells. Sh is /bin/sh: dash on Debian, bash 3.2 in POSIX mode on macOS.
const (
	Bash Kind = "bash"
	Zsh  Kind = "zsh"
	Sh   Kind = "sh"
)

// Kinds are all kinds.
var Kinds = []Kind{Bash, Zsh, Sh}

// Path returns the path of the shell. The error reports that it is not installed.
func (k Kind) Path() (string, error) {
	if k == Sh {
		return "/bin/sh", nil
	}
	return exec.LookPath(string(k))
}

// command returns the command line of a shell without start-up files and without a
// line editor.
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

// prompt returns a prompt that shows the status of the last command. Its value differs
// from what is shown, so a listing of the environment is not taken for a prompt.
func (k Kind) prompt(mark string) string {
	if k == Zsh {
		return "{" + mark + ":%?} "
	}
	return "{" + mark + ":$?} "
}

// writeStartup makes home with start-up files, and returns the environment by which shells
// find them. They give a shell that a program starts the prompt of the harness, and switch
// its line editor off.
func writeStartup(home, mark string) (environment []string, err error) {
	if err := os.Mkdir(home, 0o700); err != nil {
		return nil, err
	}
	files := map[string]string{
		".bashrc": fmt.Sprintf("set +o emacs +o vi\nPS1='%s'\n", Bash.prompt(mark)),
		".zshrc":  fmt.Sprintf("unsetopt zle promptcr promptsp notify\nPS1='%s'\n", Zsh.prompt(mark)),
		".shrc":   fmt.Sprintf("PS1='%s'\n", Sh.prompt(mark)),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			return nil, fmt.Errorf("write the start-up files: %w", err)
		}
	}
	return []string{
		"HOME=" + home,
		"ZDOTDIR=" + home,
		"ENV=" + filepath.Join(home, ".shrc"),
		"BASH_SILENCE_DEPRECATION_WARNING=1",
	}, nil
}

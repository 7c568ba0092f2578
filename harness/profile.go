//go:build darwin || linux

package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A profile is how the shells of a stage are set up, and how the output of a command
// is found in what they show.
type profile struct {
	prompt  Pattern                   // with the status as its group
	output  func(shown string) string // of a command, from all that was shown before the prompt
	command func(Kind) []string
}

// quietProfile has neither start-up files nor a line editor: all text between two
// prompts is output.
func quietProfile(mark string) profile {
	return profile{
		prompt:  Pattern(`\{` + mark + `:(\d+)\} `),
		output:  func(shown string) string { return shown },
		command: Kind.command,
	}
}

// userProfile has a line editor, hooks and prompts of several lines, which the shell
// may draw again at any time. The shell marks the output itself, as shells do for
// terminals with shell integration: OSC 133 with C before a command runs, with D and
// the status after it, with B at the end of the prompt.
func userProfile(mark string) profile {
	begin := "\x1b]133;C;" + mark + "\a"
	return profile{
		prompt: Pattern(`(?s)\x1b\]133;D;` + mark + `;(\d+)\x07.*?\x1b\]133;B;` + mark + `\x07`),
		output: func(shown string) string {
			_, after, found := strings.Cut(shown, begin)
			if !found { // an empty line: no command, no C
				_, after, _ = strings.Cut(shown, "\n")
			}
			return partialLine.ReplaceAllString(after, "")
		},
		command: func(k Kind) []string { return []string{string(k), "-i"} },
	}
}

// partialLine matches what zsh prints so that its prompt begins a line: a mark and
// enough spaces to reach the next line if the cursor is not in the first column. Zsh
// runs no hook between the end of a command and this.
var partialLine = regexp.MustCompile(`(\x1b\[[\d;]*m)*[%#](\x1b\[[\d;]*m)* +\r \r$`)

// UserProfile gives each bash and zsh that starts on the stage from now on the
// start-up files of a user: line editor, a coloured prompt of several lines, hooks,
// aliases, completion and history. Other shells do not change.
func (s *Stage) UserProfile() {
	s.t.Helper()
	home := s.backstage("user")
	if err := writeUserFiles(home, s.mark); err != nil {
		s.t.Fatalf("%v", err)
	}
	s.user = true
	s.Setenv("HOME", home)
	s.Setenv("ZDOTDIR", home)
	s.Setenv("TERM", "xterm-256color")
}

// profile returns the profile of the shells of a kind.
func (s *Stage) profile(kind Kind) profile {
	if s.user && kind != Sh {
		return userProfile(s.mark)
	}
	return quietProfile(s.mark)
}

// writeUserFiles makes home and writes the start-up files of UserProfile into it.
func writeUserFiles(home, mark string) error {
	if err := os.Mkdir(home, 0o700); err != nil {
		return fmt.Errorf("make a user's home: %w", err)
	}
	files := map[string]string{".bashrc": userBash, ".bash_profile": ". ~/.bashrc\n", ".zshrc": userZsh}
	for name, text := range files {
		text = strings.ReplaceAll(text, "MARK", mark)
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("write a user's start-up files: %w", err)
		}
	}
	return nil
}

const userBash = `
HISTFILE=~/.bash_history HISTSIZE=1000 HISTCONTROL=ignoreboth HISTTIMEFORMAT='%F %T '
shopt -s histappend checkwinsize
alias ll='ls -l' grep='grep --color=auto' ..='cd ..'
complete -W 'start stop status' service
before_prompt() {
	local status=$?
	printf '\033]133;D;MARK;%s\a' "$status"
	history -a
	printf '\033]0;%s\a' "$PWD"
	return "$status"
}
PROMPT_COMMAND=before_prompt
PS0='\e]133;C;MARK\a'
PS1='\n\[\e[1;32m\]\u@\h\[\e[0m\] \[\e[34m\]\w\[\e[0m\] [$?]\n\$ \[\e]133;B;MARK\a\]'
if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 404)); then
	# No PS0 before 4.4. The line editor of bash 3.2 echoes nothing at a terminal
	# without echo, so output begins where the prompt ends.
	PS1+='\[\e]133;C;MARK\a\]'
fi
PS2='\[\e[33m\]...\[\e[0m\] '
`

const userZsh = `
HISTFILE=~/.zsh_history HISTSIZE=1000 SAVEHIST=1000
setopt append_history share_history hist_ignore_dups prompt_subst auto_cd interactive_comments
alias ll='ls -l' grep='grep --color=auto' ..='cd ..'
autoload -Uz add-zsh-hook compinit
compinit -u -d ~/.zcompdump
zstyle ':completion:*' menu select
before_prompt() {
	local ended=$?
	printf '\033]133;D;MARK;%s\a' "$ended"
	printf '\033]0;%s\a' "$PWD"
}
before_command() { printf '\033]133;C;MARK\a' }
add-zsh-hook precmd before_prompt
add-zsh-hook preexec before_command
PS1=$'\n%F{green}%B%n@%m%b%f %F{blue}%~%f [%?]\n%# %{\e]133;B;MARK\a%}'
RPS1='%F{yellow}%*%f'
`

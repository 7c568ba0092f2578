#!/bin/sh
# Installs into a temporary directory, runs what is there, and uninstalls it:
# `make install-check`.
set -eu

dir=$(mktemp -d)
# A resident monitor makes its socket anew, until it sees that the store has gone, and may
# still write a line: rm fails once for each at most.
remove() { rm -rf "$dir" 2>/dev/null || rm -rf "$dir" 2>/dev/null || rm -rf "$dir"; }
trap remove EXIT
trap 'exit 130' HUP INT TERM
failed() { printf 'install-check: %s\n' "$*" >&2; exit 1; }
into() { make --no-print-directory "$1" DESTDIR="$dir/a root" PREFIX=/opt/monitor; }

into install
root="$dir/a root/opt/monitor"
PATH="$root/bin:$PATH"
export MONITOR_STORE="$dir/store"
unset MONITOR_RUNTIME MONITOR_MARK

# What is there, with the man pages as one, and nobody else can write to it.
(cd "$root" && find . -type f ! -path './share/doc/*' | sed 's|/monitor[a-z-]*\.1$|/*.1|' | sort -u) >"$dir/found"
cat >"$dir/wanted" <<'EOF'
./bin/monitor
./share/bash-completion/completions/monitor
./share/fish/vendor_completions.d/monitor.fish
./share/man/man1/*.1
./share/zsh/site-functions/_monitor
EOF
cmp "$dir/found" "$dir/wanted" || failed "other files than expected: $(cat "$dir/found")"
[ -f "$root/share/doc/gemini-monitor/LICENSE" ] || failed 'no licence'
[ -f "$root/share/doc/gemini-monitor/docs/schemas/info.json" ] || failed 'no JSON schemas'
[ -f "$root/share/man/man1/monitor-run.1" ] || failed 'no man page of monitor run'
[ -z "$(find "$root" -perm -0022)" ] || failed 'others can write to it'

# The program runs, and has its symbols: without them USR1 would end the command.
[ "$(command -v monitor)" = "$root/bin/monitor" ] || failed 'the installed monitor is not found'
monitor --version
[ "$( (trap '' USR1 && monitor run --name installed -- sh -c 'kill -USR1 $$; echo alive') )" = alive ] ||
	failed 'monitor run does not keep the ignored signals of its caller'
MONITOR_RESIDENT=no monitor list >/dev/null

# Each shell finds its completion by the name of the command.
completed() { # completed SHELL COMMAND: the command prints "run"
	if ! command -v "$1" >/dev/null; then
		echo "$1: skipped (not installed)"
		return
	fi
	case " $("$@") " in
	*run*) echo "$1: completes" ;;
	*) failed "$1 does not complete monitor ru" ;;
	esac
}
# Without bash-completion, as on a Mac, the functions of it that cobra's file needs are not there.
# shellcheck disable=SC2016 # the other shell expands $0
completed bash -c '. "$0/share/bash-completion/completions/monitor"; complete -p monitor >/dev/null && echo run' "$root"
# shellcheck disable=SC2016
completed zsh -f -c 'fpath=("$0/share/zsh/site-functions" $fpath); autoload -Uz compinit && compinit -u -D && [ "$_comps[monitor]" = _monitor ] && echo run' "$root"
completed fish --no-config -c "source '$root/share/fish/vendor_completions.d/monitor.fish'; complete -C 'monitor ru'"
if command -v man >/dev/null; then
	[ -n "$(MANPATH="$root/share/man" man -w monitor-run)" ] || failed 'man does not find monitor-run'
fi

into uninstall >/dev/null
left=$(find "$dir/a root" ! -type d)
[ -z "$left" ] || failed "uninstall has left $left"
echo 'install-check: installed, run and uninstalled'

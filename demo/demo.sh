#!/bin/sh
# Shows that the race that this project ends does not happen: the runtime of a shell
# stays while a process that was started from that shell lives, and is removed right
# after. Run it with `make demo`. It leaves nothing behind.
set -eu

PATH=$(cd "$(dirname "$0")/../bin" && pwd):$PATH
dir=$(mktemp -d)
export MONITOR_STORE="$dir/store" SHELL=/bin/sh GATE="$dir/gate"
unset MONITOR_RUNTIME
title() { printf '\n# %s\n' "$*"; }
show() { printf '$ %s\n' "$*"; "$@"; }
promised() { printf '# as promised: %s\n' "$*"; }
broken() { printf 'demo: promise broken: %s\n' "$*" >&2; exit 1; }

# The background job below reads from the gate. Only this script holds the other end, so
# the job ends when the script writes a line, and also when the script is interrupted.
#
# The job opens the gate itself. The shell below reads its commands from a here-document,
# which bash 3.2, macOS' sh, keeps in a file. At "command <file &" that bash loses its
# place in it (docs/xnu.md).
mkfifo "$GATE"
exec 3<>"$GATE"
trap 'exec 3>&-; rm -rf "$dir"' EXIT
trap 'exit 130' HUP INT TERM

title 'A shell in a runtime of its own starts a job, prints the runtime, waits, prints it again, and ends.'
echo '$ monitor shell --name demo'
monitor shell --name demo 3>&- <<'EOF' || broken 'a command inside of the runtime failed'
set -e
show() { printf 'demo$ %s\n' "$*"; "$@"; }
echo "demo$ sh -c 'read -r word <gate' &"
sh -c 'read -r word <"$GATE"' &
show monitor info
show sleep 2
show monitor info
show monitor list
show exit
EOF
promised 'the second output shows the runtime as the first'

title 'The shell has ended. Its job lives on as an orphan, and keeps the runtime.'
show monitor list
show monitor tree demo
monitor list -q | grep -qx demo || broken 'the runtime was removed before its last process had ended'
[ -d "$MONITOR_STORE/runtimes/demo/root" ] || broken "the runtime's directory was removed before its last process had ended"
promised 'still there'

title 'Now the job ends, and the runtime is removed.'
echo go >&3
show monitor wait demo || [ $? -eq 3 ] || broken 'the runtime was not waited for' # 3: it had gone already
show monitor list
[ -z "$(monitor list -q)" ] || broken 'the runtime is still listed'
[ ! -e "$MONITOR_STORE/runtimes/demo" ] || broken "the runtime's directory is still there"
promised 'gone'

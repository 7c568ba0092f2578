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
# A resident monitor makes its socket anew, until it sees that the store has gone, and may
# still write a line: rm fails once for each at most.
remove() { rm -rf "$dir" 2>/dev/null || rm -rf "$dir" 2>/dev/null || rm -rf "$dir"; }

# The background job below reads from the gate. Only this script holds the other end, so
# the job ends when the script writes a line, and also when the script is interrupted.
#
# The job opens the gate itself. The shell below reads its commands from a here-document,
# which bash 3.2, macOS' sh, keeps in a file. At "command <file &" that bash loses its
# place in it (docs/xnu.md).
mkfifo "$GATE"
exec 3<>"$GATE"
trap 'exec 3>&-; remove' EXIT
trap 'exit 130' HUP INT TERM

title 'A shell in a runtime of its own. It has a directory, and starts a job that will use it.'
echo '$ monitor shell --name demo'
monitor shell --name demo 3>&- <<'EOF' || broken 'a command inside of the runtime failed'
set -e
show() { printf 'demo$ %s\n' "$*"; "$@"; }
echo 'demo$ echo data >"$MONITOR_RUNTIME_DIR/file"'
echo data >"$MONITOR_RUNTIME_DIR/file"
echo "demo$ sh -c 'read -r word <gate; cat \"\$MONITOR_RUNTIME_DIR/file\"' &"
sh -c 'read -r word <"$GATE"; cat "$MONITOR_RUNTIME_DIR/file" >"$GATE.read"' &
show monitor info
show exit
EOF

title 'The shell has ended. Its job lives on as an orphan: who waits for the runtime waits on.'
show monitor wait demo --timeout 1 && broken 'the runtime was removed before its last process had ended'
show monitor list
show monitor tree demo
[ -f "$MONITOR_STORE/runtimes/demo/root/file" ] || broken "the runtime's directory was removed before its last process had ended"
promised 'the runtime, its directory and the file are still there'

title 'Now the job reads the file and ends. wait returns when the runtime is gone.'
echo go >&3
status=0
show monitor wait demo || status=$?
[ "$status" = 0 ] || [ "$status" = 3 ] || broken "wait ended with $status" # 3: it was gone before
show monitor list
[ -z "$(monitor list -q)" ] || broken 'the runtime is still listed'
[ ! -e "$MONITOR_STORE/runtimes/demo" ] || broken "the runtime's directory is still there"
[ "$(cat "$GATE.read")" = data ] || broken 'the job did not find its file'
promised 'the job found its file, and then all was gone'

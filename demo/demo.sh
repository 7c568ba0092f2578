#!/bin/sh
# The race this project ends, shown not happening: the runtime of a shell stays
# while anything started from that shell lives, and is gone right after.
# Run it with `make demo`. It leaves nothing behind.
set -eu

PATH=$(cd "$(dirname "$0")/../bin" && pwd):$PATH
dir=$(mktemp -d)
export MONITOR_STORE="$dir/store" SHELL=/bin/sh GATE="$dir/gate"
unset MONITOR_RUNTIME
say() { printf '\n# %s\n' "$*"; }
show() { printf '$ %s\n' "$*"; "$@"; }
promised() { printf '# as promised: %s\n' "$*"; }
broken() { printf 'demo: promise broken: %s\n' "$*" >&2; exit 1; }

# The background job below reads from the gate. Only we hold the other end, so
# the job goes when we say so, and also when this script is interrupted.
#
# The job opens the gate itself: the shell below reads its commands from a
# here-document, which bash 3.2, macOS' sh, keeps in a file. For "command <file &"
# that bash loses its place in it (docs/xnu.md).
mkfifo "$GATE"
exec 3<>"$GATE"
trap 'exec 3>&-; rm -rf "$dir"' EXIT
trap 'exit 130' HUP INT TERM

say 'A shell in a runtime of its own starts a job, looks at the runtime, waits, looks again, and ends.'
echo '$ monitor shell --name demo'
monitor shell --name demo 3>&- <<'EOF' || broken 'a look from inside failed'
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
promised 'the second look found what the first had found'

say 'That shell has ended. Its job lives on, an orphan, and keeps the runtime.'
show monitor list
show monitor tree demo
monitor list -q | grep -qx demo || broken 'the runtime went before its last process'
[ -d "$MONITOR_STORE/runtimes/demo/root" ] || broken "the runtime's directory went before its last process"
promised 'still there'

say 'Now the job may end. The monitor ends when it has cleaned up after the last process.'
watcher=$(monitor info demo --json | tr -d ' \n' | sed 's/.*"monitor":{[^}]*"pid":\([0-9]*\).*/\1/')
echo go >&3
show monitor wait "$watcher" 2>/dev/null || : # it may be gone before we ask, which is as good
show monitor list
[ -z "$(monitor list -q)" ] || broken 'the runtime is still listed'
[ ! -e "$MONITOR_STORE/runtimes/demo" ] || broken "the runtime's directory is still there"
promised 'gone'

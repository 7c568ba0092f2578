#!/bin/sh
# Shows two shells side by side that see different files at one mount. Run it with
# `make demo-layers`. It needs root and /dev/fuse, and leaves nothing behind.
set -eu

PATH=$(cd "$(dirname "$0")/../../bin" && pwd):$PATH
if [ "$(uname)" != Linux ] || [ "$(id -u)" != 0 ] || ! (: <>/dev/fuse) 2>/dev/null; then
	echo 'demo-layers: skipped (it takes root on Linux, and /dev/fuse)'
	exit 0
fi
dir=$(mktemp -d)
export XDG_STATE_HOME="$dir/state"
title() { printf '\n# %s\n' "$*"; }
show() { printf '$ %s\n' "$*"; "$@"; }
promised() { printf '# as promised: %s\n' "$*"; }
broken() { printf 'demo-layers: promise broken: %s\n' "$*" >&2; exit 1; }
finish() {
	exec 3>&- 4>&-
	layerfs unmount m --force >/dev/null 2>&1 || true
	wait
	cd / && rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' HUP INT TERM
cd "$dir"

title 'Two layers with the same names, and a place to mount.'
mkdir m red blue
echo 'I am red' >red/colour
echo 'I am blue' >blue/colour
show ls red blue
mkfifo to-red to-blue served

title 'The service mounts. It knows no runtime yet, so the mount is empty.'
echo '$ layerfs serve m &'
layerfs serve m >served 2>log &
service=$!
if ! read -r line <served; then
	if grep -q 'operation not permitted' log; then
		echo 'demo-layers: skipped (this process may not mount)'
		exit 0
	fi
	cat log
	broken 'the service did not start'
fi
echo "$line"
show ls -A m

# Each shell reads its commands from a pipe, as from a keyboard. The answers go to a file.
shell() { layerfs run --mount m --name "$@" -- sh -s <"to-$1" >>"$1.out" 2>&1 & }
echo '$ layerfs run --mount m --name red --layer red -- sh'
shell red --layer red
red=$!
echo '$ layerfs run --mount m --name blue --edit --layer blue -- sh'
shell blue --edit --layer blue
blue=$!
exec 3>to-red 4>to-blue
tell() { # tell red|blue COMMAND: prints what the shell answers
	printf '%s$ %s\n' "$1" "$2"
	: >"$1.out"
	line="{ $2; } 2>&1; echo >$1.done"
	mkfifo "$1.done"
	case $1 in red) echo "$line" >&3 ;; blue) echo "$line" >&4 ;; esac
	read -r _ <"$1.done"
	rm "$1.done"
	cat "$1.out"
}

title 'Two shells side by side: the same path, different files.'
tell red 'cat m/colour'
grep -qx 'I am red' red.out || broken 'the red shell sees something else'
tell blue 'cat m/colour'
grep -qx 'I am blue' blue.out || broken 'the blue shell sees something else'
tell red 'ls -A m'
promised 'each sees its own layer'

title 'The red one cannot write. The blue one can: into a scratch layer, which is its own.'
tell red 'echo green >m/colour'
grep -q 'Read-only' red.out || broken 'the red shell wrote'
tell blue 'echo green >m/colour; echo new >m/new; ls m; cat m/colour'
tell red 'ls m; cat m/colour'
grep -qx 'I am red' red.out || broken 'the red shell sees what the blue one wrote'
show cat blue/colour
[ "$(cat blue/colour)" = 'I am blue' ] || broken 'the layer was changed'
promised 'the layers are as they were'

title 'Who sees what, and why the mount stays.'
show layerfs status m
show layerfs unmount m && broken 'the mount was removed under living shells'

title 'The service is killed, and started again. The shells get their views back.'
echo "\$ kill -9 $service"
kill -9 $service
wait $service 2>/dev/null || true
layerfs serve m >served 2>log 3>&- 4>&- &
service=$!
read -r line <served || { cat log; broken 'the service did not start again'; }
echo "$line"
tell blue 'cat m/colour m/new'
[ "$(cat blue.out)" = "$(printf 'green\nnew')" ] || broken 'what was written is lost'
promised 'what the blue shell wrote is still there'

title 'The shells exit. What they wrote goes, and the mount can be removed.'
exec 3>&- 4>&-
wait $red $blue || broken 'a shell ended with an error'
show layerfs unmount m
wait $service || broken 'the service ended with an error'
show ls -A m
[ -z "$(ls -A "$XDG_STATE_HOME"/gemini-layerfs/*/runtimes)" ] || broken 'a runtime is left'
promised 'nothing is left'

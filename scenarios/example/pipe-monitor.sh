#!/bin/sh
# A monitor in a few lines of sh, and its own adapter: an example to start from.
# Its runtimes are directories. The command and all that descends from it
# inherit a pipe; when the last of them has gone, the reader at its other end
# sees the end of it and removes the directory. Who closes the pipe is lost.
set -eu
case $1 in
list) cd "$MONITOR_STORE" && exec ls ;;
shell) set -- shell "$2" -- "$SHELL" ;;
esac
dir=$MONITOR_STORE/$2
shift 3
mkdir "$dir"
pipe=$MONITOR_STORE/.${dir##*/}
mkfifo "$pipe"
# 3 is the oracle's descriptor. Nothing that was inherited may stay with the reader.
(trap '' HUP; exec 3>&-; cat "$pipe"; rm -rf "$dir") </dev/null >/dev/null 2>&1 &
exec 9>"$pipe" # waits for the reader
rm "$pipe"
exec "$@"

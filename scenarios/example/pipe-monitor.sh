#!/bin/sh
# A monitor and its own adapter in a few lines of sh: an example to start from. Its
# runtimes are directories. The command and its descendants inherit a pipe. When the
# last of them has ended, the reader of the pipe reads its end and removes the
# directory. A process that closes the pipe is lost.
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
# Descriptor 3 is the oracle's. The reader must close all that it inherited.
(trap '' HUP; exec 3>&-; cat "$pipe"; rm -rf "$dir") </dev/null >/dev/null 2>&1 &
exec 9>"$pipe" # waits for the reader
rm "$pipe"
exec "$@"

//go:build unix

package monitor

import (
	"io/fs"
	"syscall"
)

// ownerOf returns the user that owns a file. It is not ok where that is unknown.
func ownerOf(info fs.FileInfo) (user int, ok bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}

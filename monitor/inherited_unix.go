//go:build unix

package monitor

import (
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/descriptor"
)

// A fileSet has files by what the kernel knows them by.
type fileSet map[fileID]bool

type fileID struct{ device, inode uint64 }

// inheritedFiles returns the files of which this process has inherited a descriptor. Those
// that it has opened itself, as a monitor does, are left out.
func inheritedFiles() fileSet {
	files := make(fileSet)
	descriptors, _ := descriptor.Inherited()
	for _, fd := range descriptors {
		var held unix.Stat_t
		if unix.Fstat(fd, &held) == nil {
			files[fileID{uint64(held.Dev), held.Ino}] = true
		}
	}
	return files
}

func (s fileSet) have(path string) bool {
	var file unix.Stat_t
	return len(s) > 0 && unix.Stat(path, &file) == nil && s[fileID{uint64(file.Dev), file.Ino}]
}

package mount

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Of returns the file system of a path without links. It asks no mounted file system, so a
// dead one does not block it (getfsstat(2), MNT_NOWAIT).
func Of(path string) (FileSystem, error) {
	for room := 64; ; room *= 2 {
		mounts := make([]unix.Statfs_t, room)
		n, err := unix.Getfsstat(mounts, unix.MNT_NOWAIT)
		if err != nil {
			return FileSystem{}, os.NewSyscallError("getfsstat", err)
		}
		if n == room {
			continue // there may be more
		}
		var all []FileSystem
		for _, m := range mounts[:n] {
			kind := unix.ByteSliceToString(m.Fstypename[:])
			all = append(all, FileSystem{
				Kind: kind, Point: unix.ByteSliceToString(m.Mntonname[:]),
				Remote: m.Flags&unix.MNT_LOCAL == 0 || strings.Contains(kind, "fuse"),
			})
		}
		return deepest(path, all), nil
	}
}

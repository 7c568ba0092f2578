package mount

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Of returns the file system of a path without links, as this process sees the mounts. It
// asks no mounted file system, so a dead one does not block it.
func Of(path string) (FileSystem, error) {
	text, err := os.ReadFile(mountInfo)
	if err != nil {
		return FileSystem{}, fmt.Errorf("read the mount points: %w", err)
	}
	found := deepest(path, mountedIn(text))
	if found.Point == "" {
		return found, fmt.Errorf("the mount of %s: %w", path, errors.ErrUnsupported)
	}
	return found, nil
}

// mountedIn returns the file systems of a text of mountinfo: the fifth field of a line is the
// mount point, and the first one after a dash is the type (proc_pid_mountinfo(5)).
func mountedIn(text []byte) (all []FileSystem) {
	for line := range bytes.Lines(text) {
		mount, source, whole := bytes.Cut(line, []byte(" - "))
		fields, kind := bytes.Fields(mount), bytes.Fields(source)
		if !whole || len(fields) < 5 || len(kind) == 0 {
			continue
		}
		name := string(kind[0])
		all = append(all, FileSystem{Kind: name, Point: unescape(string(fields[4])), Remote: remote(name)})
	}
	return all
}

// remote reports whether a type of file systems is that of other machines or of programs.
// Of fuseblk the kernel has the disk, and a program all else.
func remote(kind string) bool {
	return strings.HasPrefix(kind, "fuse") || slices.Contains([]string{
		"9p", "afs", "beegfs", "ceph", "cifs", "coda", "gfs2", "gpfs", "lustre", "ncpfs", "nfs", "nfs4",
		"ocfs2", "orangefs", "pvfs2", "smb3", "smbfs", "virtiofs", "vboxsf", "vmhgfs",
	}, kind)
}

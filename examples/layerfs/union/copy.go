package union

import (
	"io"
	"math"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Upper returns where a path is in the scratch layer, to which it is copied if it is not
// there. The error is EROFS where nothing can be written.
func (s *Stack) Upper(path string) (string, syscall.Errno) { return s.upperTo(path, -1) }

// UpperTo is Upper for a file that is to be cut to a size: no more of it is copied.
func (s *Stack) UpperTo(path string, size int64) (string, syscall.Errno) {
	return s.upperTo(path, size)
}

func (s *Stack) upperTo(path string, size int64) (string, syscall.Errno) {
	if s.scratch == "" {
		return "", syscall.EROFS
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.raise(path, size)
}

// raise copies what a path leads to, unless it is in the scratch layer. Negative sizes stand
// for the whole file. The lock is held.
func (s *Stack) raise(path string, size int64) (string, syscall.Errno) {
	e, errno := s.Lookup(path)
	if errno != 0 || e.Upper {
		return e.Path, errno
	}
	parent, name := split(path)
	dir, errno := s.raise(parent, -1)
	if errno != 0 {
		return "", errno
	}
	to, made := dir+"/"+name, s.fresh()
	if errno = s.copyOf(e, made, size); errno == 0 {
		errno = errnoOf(os.Rename(made, to))
	}
	if errno != 0 {
		_ = os.RemoveAll(made)
		return "", errno
	}
	if e.IsDir() {
		s.dirs.forget(path)
	} else if s.copied != nil {
		s.copied(path, to)
	}
	return to, 0
}

// fresh returns a name in the directory for what is being made.
func (s *Stack) fresh() string {
	s.made++
	return s.work + "/" + strconv.FormatUint(s.made, 10)
}

// copyOf makes a copy of a file, or of a directory without what is in it.
func (s *Stack) copyOf(e Entry, to string, size int64) syscall.Errno {
	var err error
	switch mode := uint32(e.Stat.Mode); mode & syscall.S_IFMT {
	case syscall.S_IFDIR:
		err = os.Mkdir(to, 0o700)
	case syscall.S_IFLNK:
		var target string
		if target, err = os.Readlink(e.Path); err == nil {
			err = os.Symlink(target, to)
		}
	case syscall.S_IFREG:
		err = s.copyData(e.Path, to, size)
	default:
		err = mknod(to, mode, uint64(e.Stat.Rdev))
	}
	if err != nil {
		return errnoOf(err)
	}
	return copyAttributes(e, to)
}

// piece is how much is copied between two counts.
const piece = 4 << 20

func (s *Stack) copyData(from, to string, size int64) error {
	source, err := os.OpenFile(from, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if size < 0 {
		size = math.MaxInt64
	}
	for size > 0 && err == nil {
		var n int64
		n, err = io.CopyN(target, source, min(size, piece))
		size -= n
		s.done.Add(uint64(n))
	}
	if err == io.EOF {
		err = nil
	}
	if closed := target.Close(); err == nil {
		err = closed
	}
	return err
}

// copyAttributes gives a copy the attributes of what it was made from. Another user's file
// becomes the user's own one, unless that is root, as with cp(1).
func copyAttributes(e Entry, to string) syscall.Errno {
	if err := os.Lchown(to, int(e.Stat.Uid), int(e.Stat.Gid)); err != nil && os.Geteuid() == 0 {
		return errnoOf(err)
	}
	copyXattrs(e.Path, to)
	if e.Stat.Mode&syscall.S_IFMT != syscall.S_IFLNK {
		if err := unix.Chmod(to, uint32(e.Stat.Mode)&0o7777); err != nil {
			return errnoOf(err)
		}
	}
	times := timesOf(&e.Stat)
	return errnoOf(unix.UtimesNanoAt(unix.AT_FDCWD, to, times[:], unix.AT_SYMLINK_NOFOLLOW))
}

// copyXattrs copies the extended attributes. Those that the scratch layer does not take are
// left out, as by cp(1).
func copyXattrs(from, to string) {
	names := make([]byte, 64<<10)
	n, err := unix.Llistxattr(from, names)
	if err != nil || n == 0 {
		return
	}
	value := make([]byte, 64<<10)
	for _, name := range splitNames(names[:n]) {
		if size, err := unix.Lgetxattr(from, name, value); err == nil {
			_ = unix.Lsetxattr(to, name, value[:size], 0)
		}
	}
}

// splitNames splits a list of names that each end in a zero byte.
func splitNames(list []byte) (names []string) {
	for start, i := 0, 0; i < len(list); i++ {
		if list[i] == 0 {
			names = append(names, string(list[start:i]))
			start = i + 1
		}
	}
	return names
}

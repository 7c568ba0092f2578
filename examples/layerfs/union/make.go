package union

import (
	"os"
	"strings"
	"syscall"
)

// Create makes a file and opens it. The error is EEXIST where the name is taken.
func (s *Stack) Create(path string, flags int, mode uint32) (*os.File, syscall.Errno) {
	var file *os.File
	errno := s.place(path, func(at string) (err error) {
		// The mode is set afterwards: a umask of this process does not count.
		file, err = os.OpenFile(at, flags|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
		if err == nil {
			err = syscall.Fchmod(int(file.Fd()), mode&0o7777)
		}
		return err
	})
	if errno != 0 && file != nil {
		_ = file.Close()
		file = nil
	}
	return file, errno
}

// Symlink makes a symbolic link.
func (s *Stack) Symlink(target, path string) syscall.Errno {
	return s.place(path, func(at string) error { return os.Symlink(target, at) })
}

// Mknod makes a file without content: a regular one, a pipe or a socket. Devices are refused
// with EPERM: the mount does not serve them.
func (s *Stack) Mknod(path string, mode uint32) syscall.Errno {
	switch mode & syscall.S_IFMT {
	case 0, syscall.S_IFREG, syscall.S_IFIFO, syscall.S_IFSOCK:
	default:
		return syscall.EPERM
	}
	return s.place(path, func(at string) error {
		if err := mknod(at, mode, 0); err != nil {
			return err
		}
		return syscall.Chmod(at, mode&0o7777)
	})
}

// Link gives a file another name. A file of a layer is copied first.
func (s *Stack) Link(old, path string) syscall.Errno {
	if s.scratch == "" {
		return syscall.EROFS
	}
	from, errno := s.Upper(old)
	if errno != 0 {
		return errno
	}
	return s.place(path, func(at string) error { return os.Link(from, at) })
}

// Mkdir makes a directory. Nothing of the layers shows in it.
func (s *Stack) Mkdir(path string, mode uint32) syscall.Errno {
	return s.place(path, func(at string) error {
		dir, name := at[:strings.LastIndexByte(at, '/')], at[strings.LastIndexByte(at, '/')+1:]
		made := s.fresh()
		err := os.Mkdir(made, 0o700)
		if err == nil && there(dir+"/"+hidden+name) {
			err = touch(made + "/" + opaque)
		}
		if err == nil {
			err = s.inherit(made, dir)
		}
		if err == nil {
			err = syscall.Chmod(made, mode&0o7777|groupBit(made))
		}
		if err == nil {
			err = os.Rename(made, at)
		}
		if err != nil {
			_ = os.RemoveAll(made)
		}
		s.dirs.forget(path)
		return err
	})
}

// inherit gives a new directory the group of a directory that hands it on (inode(7), S_ISGID).
func (s *Stack) inherit(made, dir string) error {
	var stat syscall.Stat_t
	if errno := lstat(dir, &stat); errno != 0 || stat.Mode&syscall.S_ISGID == 0 {
		return nil
	}
	if err := os.Lchown(made, -1, int(stat.Gid)); err != nil {
		return err
	}
	return syscall.Chmod(made, 0o700|syscall.S_ISGID)
}

func groupBit(path string) uint32 {
	var stat syscall.Stat_t
	if lstat(path, &stat) != 0 {
		return 0
	}
	return uint32(stat.Mode) & syscall.S_ISGID
}

// place makes what a free path is to lead to, in the scratch layer, and then deletes what hid
// that name. A crash between leaves both, and then the name counts.
func (s *Stack) place(path string, put func(at string) error) syscall.Errno {
	if s.scratch == "" {
		return syscall.EROFS
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	parent, name := split(path)
	if strings.HasPrefix(name, hidden) {
		return syscall.EINVAL
	}
	switch _, errno := s.Lookup(path); errno {
	case 0:
		return syscall.EEXIST
	case syscall.ENOENT:
	default:
		return errno
	}
	dir, errno := s.raise(parent, -1)
	if errno != 0 {
		return errno
	}
	if err := put(dir + "/" + name); err != nil {
		return errnoOf(err)
	}
	return reveal(dir, name)
}

// reveal deletes what hides a name. Of a name that is too long nothing can.
func reveal(dir, name string) syscall.Errno {
	switch errno := errnoOf(os.Remove(dir + "/" + hidden + name)); errno {
	case syscall.ENOENT, syscall.ENAMETOOLONG:
		return 0
	default:
		return errno
	}
}

// touch makes an empty file, if there is none.
func touch(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

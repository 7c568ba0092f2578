package view

import (
	"os"
	"sync"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/gemini-monitor/gemini/examples/layerfs/union"
)

// makes answers a call that makes a name in a directory.
func (f *FS) makes(h *fuse.InHeader, name string, out *fuse.EntryOut, do func(t *Tree, path string) syscall.Errno) (n *node, errno syscall.Errno) {
	parent, t, dir, errno := f.at(h)
	if errno != 0 {
		return nil, errno
	}
	if t == nil || !t.Stack.Editable() {
		return nil, syscall.EROFS
	}
	path := union.Join(dir, name)
	e, errno := inTime(f, parent, t, func() (e union.Entry, errno syscall.Errno) {
		if errno = do(t, path); errno == 0 {
			e, errno = t.Stack.Lookup(path)
		}
		return e, errno
	})
	if errno != 0 {
		return nil, errno
	}
	return f.answer(parent, t, path, &e, out), 0
}

// Create implements [fuse.RawFileSystem].
func (f *FS) Create(_ <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	var made delivery
	flags, mode := int(in.Flags)&passed, in.Mode
	n, errno := f.makes(&in.InHeader, name, &out.EntryOut, func(t *Tree, path string) syscall.Errno {
		file, errno := t.Stack.Create(path, flags, mode)
		made.put(file)
		return errno
	})
	if errno != 0 {
		made.refuse()
		return fuse.Status(errno)
	}
	out.Fh = f.opened(n, made.file, true, true)
	return fuse.OK
}

// A delivery is a file that may come too late.
type delivery struct {
	mu      sync.Mutex
	file    *os.File
	refused bool
}

func (d *delivery) put(file *os.File) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.file = file; d.refused && file != nil {
		_ = file.Close()
	}
}

// refuse closes the file, also one that comes later.
func (d *delivery) refuse() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refused = true; d.file != nil {
		_ = d.file.Close()
	}
}

// Mkdir implements [fuse.RawFileSystem].
func (f *FS) Mkdir(_ <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	mode := in.Mode
	_, errno := f.makes(&in.InHeader, name, out, func(t *Tree, path string) syscall.Errno {
		return t.Stack.Mkdir(path, mode)
	})
	return fuse.Status(errno)
}

// Mknod implements [fuse.RawFileSystem].
func (f *FS) Mknod(_ <-chan struct{}, in *fuse.MknodIn, name string, out *fuse.EntryOut) fuse.Status {
	mode := in.Mode
	_, errno := f.makes(&in.InHeader, name, out, func(t *Tree, path string) syscall.Errno {
		return t.Stack.Mknod(path, mode)
	})
	return fuse.Status(errno)
}

// Symlink implements [fuse.RawFileSystem].
func (f *FS) Symlink(_ <-chan struct{}, h *fuse.InHeader, target, name string, out *fuse.EntryOut) fuse.Status {
	_, errno := f.makes(h, name, out, func(t *Tree, path string) syscall.Errno {
		return t.Stack.Symlink(target, path)
	})
	return fuse.Status(errno)
}

// Link implements [fuse.RawFileSystem].
func (f *FS) Link(_ <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	old := f.nodes.get(in.Oldnodeid)
	if old == nil {
		return fuse.Status(syscall.ESTALE)
	}
	_, errno := f.makes(&in.InHeader, name, out, func(t *Tree, path string) syscall.Errno {
		from, named := f.nodes.pathOf(old)
		switch {
		case old.kind != kindOwn || old.tree != t:
			return syscall.EXDEV
		case !named:
			return syscall.ENOENT
		}
		return t.Stack.Link(from, path)
	})
	return fuse.Status(errno)
}

// removes answers a call that removes a name.
func (f *FS) removes(h *fuse.InHeader, name string, do func(t *Tree, path string) syscall.Errno) fuse.Status {
	parent, t, dir, errno := f.at(h)
	if errno != 0 {
		return fuse.Status(errno)
	}
	if t == nil || !t.Stack.Editable() {
		return fuse.EROFS
	}
	path := union.Join(dir, name)
	return fuse.Status(change(f, parent, t, func() syscall.Errno {
		errno := do(t, path)
		if errno == 0 {
			f.nodes.drop(t, path)
		}
		return errno
	}))
}

// Unlink implements [fuse.RawFileSystem].
func (f *FS) Unlink(_ <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	return f.removes(h, name, func(t *Tree, path string) syscall.Errno { return t.Stack.Unlink(path) })
}

// Rmdir implements [fuse.RawFileSystem]. The kernel finds nothing in the inode of a removed
// directory any more (S_DEAD of vfs_rmdir), so the other trees get another one for that path.
func (f *FS) Rmdir(_ <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	return f.removes(h, name, func(t *Tree, path string) syscall.Errno {
		errno := t.Stack.Rmdir(path)
		if errno == 0 && !f.Self {
			f.nodes.retire(path)
		}
		return errno
	})
}

// noReplace is RENAME_NOREPLACE of renameat2(2).
const noReplace = 1

// Rename implements [fuse.RawFileSystem]. The kernel moves the inode with the name. So a
// directory that all trees share cannot get another name in one of them: EXDEV.
func (f *FS) Rename(_ <-chan struct{}, in *fuse.RenameIn, oldName, newName string) fuse.Status {
	parent, t, dir, errno := f.at(&in.InHeader)
	if errno != 0 {
		return fuse.Status(errno)
	}
	into := in.InHeader
	into.NodeId = in.Newdir
	_, other, newDir, errno := f.at(&into)
	switch {
	case errno != 0:
		return fuse.Status(errno)
	case t == nil || !t.Stack.Editable():
		return fuse.EROFS
	case other != t:
		return fuse.EXDEV
	case in.Flags&^noReplace != 0:
		return fuse.EINVAL
	}
	old, path, replace := union.Join(dir, oldName), union.Join(newDir, newName), in.Flags&noReplace == 0
	return fuse.Status(change(f, parent, t, func() syscall.Errno {
		e, errno := t.Stack.Lookup(old)
		if errno == 0 && e.IsDir() && parent.kind == kindShared {
			if errno = t.Stack.CanReplace(old, path, replace); errno == 0 {
				errno = syscall.EXDEV
			}
		}
		if errno == 0 {
			errno = t.Stack.Rename(old, path, replace)
		}
		if errno == 0 {
			f.nodes.move(t, old, path, e.IsDir())
		}
		return errno
	}))
}

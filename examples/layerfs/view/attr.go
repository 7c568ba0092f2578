package view

import (
	"os"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/examples/layerfs/union"
)

// leaf returns what a node leads to, in which tree, for calls that are about one file. Of a
// node without a name the entry has no path.
func (f *FS) leaf(h *fuse.InHeader) (n *node, t *Tree, e union.Entry, errno syscall.Errno) {
	n, t, path, errno := f.at(h)
	switch {
	case n == nil:
		return nil, nil, e, errno
	case n.kind == kindLayer && errno == 0:
		e.Path = path
		return n, t, e, 0
	case errno != 0 || n.kind != kindShared && n.kind != kindOwn:
		return n, t, e, errno
	case t == nil && n == f.root:
		return n, t, e, 0
	case t == nil:
		return n, t, e, syscall.ENOENT
	}
	e, errno = t.Stack.Lookup(path)
	return n, t, e, errno
}

// GetAttr implements [fuse.RawFileSystem].
func (f *FS) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	n, t, e, errno := f.leaf(&in.InHeader)
	if n == nil {
		return fuse.Status(errno)
	}
	if n.kind != kindShared {
		out.SetTimeout(f.Cache)
	}
	switch {
	case errno != 0 && n.statOpen(&e.Stat):
		// It has no name any more, but a process has it open.
	case errno == syscall.ENOENT && n.removedIn(t):
		out.Mode, out.Ino = syscall.S_IFDIR|0o755, n.ino
		return fuse.OK
	case errno != 0:
		return fuse.Status(errno)
	case e.Path == "":
		f.statFixed(n, &out.Attr)
		return fuse.OK
	case n.kind == kindLayer:
		if err := syscall.Lstat(e.Path, &e.Stat); err != nil {
			return fuse.ToStatus(err)
		}
	}
	fill(&out.Attr, n, &e.Stat)
	return fuse.OK
}

// removedIn reports whether a node without a path is a directory that a tree has removed. A
// process may stand there.
func (n *node) removedIn(t *Tree) bool {
	switch {
	case !n.key.dir:
		return false
	case n.kind == kindOwn:
		return !n.tree.over.Load()
	}
	return t != nil && t.Stack != nil && t.Stack.Editable()
}

// stat fills the attributes of a node of a tree.
func (f *FS) stat(n *node, t *Tree, path string, out *fuse.Attr) syscall.Errno {
	if t.Stack == nil {
		return syscall.EIO
	}
	e, errno := t.Stack.Lookup(path)
	if errno == 0 {
		fill(out, n, &e.Stat)
	}
	return errno
}

// fill fills attributes from those of the file of a layer. A directory has one link: what it
// shows may be in several.
func fill(out *fuse.Attr, n *node, stat *syscall.Stat_t) {
	out.FromStat(stat)
	out.Ino = n.ino
	if stat.Mode&syscall.S_IFMT == syscall.S_IFDIR {
		out.Nlink = 1
	}
}

// statFixed fills the attributes of a node that is in no layer.
func (f *FS) statFixed(n *node, out *fuse.Attr) {
	out.Mode, out.Nlink, out.Ino = syscall.S_IFDIR|0o555, 1, n.ino
	if n.kind == kindSelf {
		out.Mode = syscall.S_IFLNK | 0o777
	}
	out.Uid, out.Gid = uint32(os.Geteuid()), uint32(os.Getegid())
}

// SetAttr implements [fuse.RawFileSystem]. A file of a layer is copied first.
func (f *FS) SetAttr(_ <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	n, t, path, errno := f.at(&in.InHeader)
	if n == nil {
		return fuse.Status(errno)
	}
	var opened *handle
	if fh, ok := in.GetFh(); ok {
		opened = f.handles.get(fh)
	}
	if opened == nil && errno == syscall.ENOENT {
		opened = n.anyOpen() // fchmod(2) of a file without a name
	}
	switch {
	case opened != nil && opened.upper && (opened.writes || errno == syscall.ENOENT):
		errno = opened.set(in)
	case errno == 0:
		request := *in // whose memory is the caller's when this has returned
		errno = change(f, n, t, func() syscall.Errno { return set(n, t, path, &request) })
	}
	if errno != 0 {
		return fuse.Status(errno)
	}
	return f.GetAttr(nil, &fuse.GetAttrIn{InHeader: in.InHeader}, out)
}

// set changes attributes of what a path of a tree leads to.
func set(n *node, t *Tree, path string, in *fuse.SetAttrIn) syscall.Errno {
	if n.kind != kindShared && n.kind != kindOwn || t == nil {
		return syscall.EROFS
	}
	size, cut := in.GetSize()
	copied := int64(-1)
	if cut {
		copied = int64(size)
	}
	at, errno := t.Stack.UpperTo(path, copied)
	if errno != 0 {
		return errno
	}
	return setAt(in, setters{
		chmod:    func(mode uint32) error { return unix.Fchmodat(unix.AT_FDCWD, at, mode, 0) },
		chown:    func(user, group int) error { return os.Lchown(at, user, group) },
		truncate: func(size int64) error { return truncate(at, size) },
		times: func(times []unix.Timespec) error {
			return unix.UtimesNanoAt(unix.AT_FDCWD, at, times, unix.AT_SYMLINK_NOFOLLOW)
		},
	})
}

// setters are the calls that change attributes: by a path, or of a file that is open.
type setters struct {
	chmod    func(mode uint32) error
	chown    func(user, group int) error
	truncate func(size int64) error
	times    func(times []unix.Timespec) error
}

// setAt carries out what a request asks for. The mode comes after the owner: chown(2) takes
// the bits for another user from it.
func setAt(in *fuse.SetAttrIn, by setters) (errno syscall.Errno) {
	user, hasUser := in.GetUID()
	group, hasGroup := in.GetGID()
	if hasUser || hasGroup {
		if err := by.chown(orNone(user, hasUser), orNone(group, hasGroup)); err != nil {
			return errnoOf(err)
		}
	}
	if mode, ok := in.GetMode(); ok {
		if err := by.chmod(mode); err != nil {
			return errnoOf(err)
		}
	}
	if size, ok := in.GetSize(); ok {
		if err := by.truncate(int64(size)); err != nil {
			return errnoOf(err)
		}
	}
	if times, ok := timesIn(in); ok {
		return errnoOf(by.times(times[:]))
	}
	return 0
}

func orNone(id uint32, given bool) int {
	if !given {
		return -1
	}
	return int(id)
}

// timesIn returns the times that a request sets, for utimensat(2).
func timesIn(in *fuse.SetAttrIn) (times [2]unix.Timespec, any bool) {
	access, hasAccess := in.GetATime()
	change, hasChange := in.GetMTime()
	times[0], times[1] = keepTime, keepTime
	if hasAccess {
		times[0] = timespec(access)
	}
	if hasChange {
		times[1] = timespec(change)
	}
	return times, hasAccess || hasChange
}

func truncate(path string, size int64) error {
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Ftruncate(fd, size)
}

// Access implements [fuse.RawFileSystem]. The kernel lets in the processes of the user of
// this one alone, so what this one may do is what they may.
func (f *FS) Access(_ <-chan struct{}, in *fuse.AccessIn) fuse.Status {
	n, t, e, errno := f.leaf(&in.InHeader)
	if errno != 0 {
		return fuse.Status(errno)
	}
	if e.Path == "" {
		if in.Mask&unix.W_OK != 0 {
			return fuse.EROFS
		}
		return fuse.OK
	}
	writable := n.kind != kindLayer && t.Stack.Editable()
	if in.Mask&unix.W_OK != 0 && !writable {
		return fuse.EROFS
	}
	return fuse.ToStatus(unix.Faccessat(unix.AT_FDCWD, e.Path, in.Mask, 0))
}

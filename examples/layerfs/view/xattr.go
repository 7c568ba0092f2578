package view

import (
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// GetXAttr implements [fuse.RawFileSystem]. Extended attributes are those of the file of the
// layer, of all name spaces.
func (f *FS) GetXAttr(_ <-chan struct{}, h *fuse.InHeader, name string, dest []byte) (uint32, fuse.Status) {
	_, _, e, errno := f.leaf(h)
	if errno != 0 || e.Path == "" {
		return 0, noXattr(errno)
	}
	n, err := unix.Lgetxattr(e.Path, name, dest)
	return uint32(max(n, 0)), fuse.ToStatus(err)
}

// noXattr is the answer about a file without attributes.
func noXattr(errno syscall.Errno) fuse.Status {
	if errno == 0 {
		return fuse.ENOATTR
	}
	return fuse.Status(errno)
}

// ListXAttr implements [fuse.RawFileSystem].
func (f *FS) ListXAttr(_ <-chan struct{}, h *fuse.InHeader, dest []byte) (uint32, fuse.Status) {
	_, _, e, errno := f.leaf(h)
	if errno != 0 || e.Path == "" {
		return 0, fuse.Status(errno)
	}
	n, err := unix.Llistxattr(e.Path, dest)
	return uint32(max(n, 0)), fuse.ToStatus(err)
}

// SetXAttr implements [fuse.RawFileSystem].
func (f *FS) SetXAttr(_ <-chan struct{}, in *fuse.SetXAttrIn, name string, data []byte) fuse.Status {
	flags := int(in.Flags)
	return f.changeXattr(&in.InHeader, func(path string) error { return unix.Lsetxattr(path, name, data, flags) })
}

// RemoveXAttr implements [fuse.RawFileSystem].
func (f *FS) RemoveXAttr(_ <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	return f.changeXattr(h, func(path string) error { return unix.Lremovexattr(path, name) })
}

// changeXattr changes the attributes of a file, which is copied first. It takes as long as
// the layers do: the data of the request is the caller's until it returns.
func (f *FS) changeXattr(h *fuse.InHeader, do func(path string) error) fuse.Status {
	n, t, path, errno := f.at(h)
	if errno != 0 {
		return fuse.Status(errno)
	}
	if n.kind != kindShared && n.kind != kindOwn || t == nil {
		return fuse.EROFS
	}
	at, errno := t.Stack.Upper(path)
	if errno != 0 {
		return fuse.Status(errno)
	}
	return fuse.ToStatus(do(at))
}

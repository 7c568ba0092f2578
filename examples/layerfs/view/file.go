package view

import (
	"errors"
	"os"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/examples/layerfs/union"
)

// errnoOf returns the error number of an error, EIO where it has none.
func errnoOf(err error) syscall.Errno {
	if err == nil {
		return 0
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	return syscall.EIO
}

// passed are the flags of open(2) that are passed on to the file of a layer. The kernel does
// the others itself: it counts the place to append at, and has checked and made the file.
const passed = syscall.O_ACCMODE | syscall.O_TRUNC | syscall.O_NONBLOCK | syscall.O_SYNC

// Open implements [fuse.RawFileSystem]. A file of a layer that is opened for writing is
// copied first. The node stays, and what the kernel has of it is still right.
func (f *FS) Open(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	n, t, path, errno := f.at(&in.InHeader)
	if errno != 0 {
		return fuse.Status(errno)
	}
	flags := int(in.Flags)
	writes := flags&syscall.O_ACCMODE != syscall.O_RDONLY || flags&syscall.O_TRUNC != 0
	e := union.Entry{Path: path}
	switch {
	case n.kind != kindLayer && n.kind != kindOwn:
		return fuse.Status(syscall.EISDIR)
	case n.kind == kindLayer && writes:
		return fuse.EROFS
	case n.kind == kindOwn && writes:
		size := int64(-1)
		if flags&syscall.O_TRUNC != 0 {
			size = 0
		}
		e.Path, errno = t.Stack.UpperTo(path, size)
		e.Upper = true
	case n.kind == kindOwn:
		e, errno = t.Stack.Lookup(path)
	}
	if errno != 0 {
		return fuse.Status(errno)
	}
	file, err := os.OpenFile(e.Path, flags&passed|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return fuse.Status(errnoOf(err))
	}
	out.Fh = f.opened(n, file, writes, e.Upper)
	var stat syscall.Stat_t
	if syscall.Fstat(int(file.Fd()), &stat) == nil && n.unchanged(&stat) {
		out.OpenFlags |= fuse.FOPEN_KEEP_CACHE
	}
	return fuse.OK
}

// opened returns the number of a new handle of a file.
func (f *FS) opened(n *node, file *os.File, writes, upper bool) uint64 {
	h := &handle{node: n, file: file, writes: writes, upper: upper}
	n.opens(h)
	return f.handles.add(h)
}

// Read implements [fuse.RawFileSystem].
func (f *FS) Read(_ <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	h := f.handles.get(in.Fh)
	if h == nil || h.file == nil {
		return nil, fuse.EBADF
	}
	return fuse.ReadResultFd(uintptr(h.fd()), int64(in.Offset), int(in.Size)), fuse.OK
}

// Write implements [fuse.RawFileSystem].
func (f *FS) Write(_ <-chan struct{}, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	h := f.handles.get(in.Fh)
	if h == nil || !h.writes {
		return 0, fuse.EBADF
	}
	n, err := unix.Pwrite(h.fd(), data, int64(in.Offset))
	return uint32(max(n, 0)), fuse.ToStatus(err)
}

// Flush implements [fuse.RawFileSystem]. The file system of the layer may have an error to
// report when a descriptor is closed.
func (f *FS) Flush(_ <-chan struct{}, in *fuse.FlushIn) fuse.Status {
	h := f.handles.get(in.Fh)
	if h == nil || !h.writes {
		return fuse.OK
	}
	fd, err := unix.Dup(h.fd())
	if err != nil {
		return fuse.ToStatus(err)
	}
	return fuse.ToStatus(unix.Close(fd))
}

// Fsync implements [fuse.RawFileSystem]. The caller asks for what a file of the layer would do.
func (f *FS) Fsync(_ <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	h := f.handles.get(in.Fh)
	if h == nil || h.file == nil {
		return fuse.EBADF
	}
	return fuse.ToStatus(syscall.Fsync(h.fd()))
}

// Lseek implements [fuse.RawFileSystem]: it finds holes and data.
func (f *FS) Lseek(_ <-chan struct{}, in *fuse.LseekIn, out *fuse.LseekOut) fuse.Status {
	h := f.handles.get(in.Fh)
	if h == nil || h.file == nil {
		return fuse.EBADF
	}
	at, err := unix.Seek(h.fd(), int64(in.Offset), int(in.Whence))
	out.Offset = uint64(at)
	return fuse.ToStatus(err)
}

// Fallocate implements [fuse.RawFileSystem].
func (f *FS) Fallocate(_ <-chan struct{}, in *fuse.FallocateIn) fuse.Status {
	h := f.handles.get(in.Fh)
	if h == nil || !h.writes {
		return fuse.EBADF
	}
	return fuse.ToStatus(fallocate(h.fd(), in.Mode, int64(in.Offset), int64(in.Length)))
}

// Release implements [fuse.RawFileSystem].
func (f *FS) Release(_ <-chan struct{}, in *fuse.ReleaseIn) {
	if h := f.handles.remove(in.Fh); h != nil {
		h.node.closes(h)
		h.close()
	}
}

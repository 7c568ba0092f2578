package view

import (
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/gemini-monitor/gemini/examples/layerfs/union"
)

// Lookup implements [fuse.RawFileSystem]. What the kernel may remember of a name depends on
// the directory: nothing where all trees share it, as the name leads elsewhere in another.
func (f *FS) Lookup(_ <-chan struct{}, h *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	n, t, dir, errno := f.at(h)
	switch {
	case errno != 0:
		return fuse.Status(errno)
	case n.kind != kindShared && n.kind != kindOwn:
		return f.lookupFixed(n, name, out)
	case t == nil:
		return f.absent(n, nil, dir, name, out)
	}
	path := union.Join(dir, name)
	e, errno := inTime(f, n, t, func() (union.Entry, syscall.Errno) { return t.Stack.Lookup(path) })
	switch errno {
	case 0:
		f.answer(n, t, path, &e, out)
		return fuse.OK
	case syscall.ENOENT:
		return f.absent(n, t, dir, name, out)
	}
	return fuse.Status(errno)
}

// answer fills the answer about a name that is there.
func (f *FS) answer(parent *node, t *Tree, path string, e *union.Entry, out *fuse.EntryOut) *node {
	n := f.nodeOf(parent, t, path, e)
	out.NodeId, out.Generation = n.id, 1
	fill(&out.Attr, n, &e.Stat)
	if parent.kind != kindShared {
		out.SetEntryTimeout(f.Cache)
	}
	if n.kind != kindShared {
		out.SetAttrTimeout(f.Cache)
	}
	return n
}

// absent answers about a name that is not there.
//
// The kernel takes a directory that all trees share from its place when one caller is told
// that it is not there: the processes that stand in it have no working directory any more,
// for getcwd(2). So a caller that cannot make anything is told of such a directory, and gets
// ENOENT for all that it asks of it.
func (f *FS) absent(n *node, t *Tree, dir, name string, out *fuse.EntryOut) fuse.Status {
	if n.kind != kindShared {
		out.SetEntryTimeout(f.Cache) // and no node: the kernel may remember that
		return fuse.OK
	}
	if t != nil && t.Stack.Editable() {
		return fuse.ENOENT
	}
	other := f.nodes.known(key{dir: true, path: union.Join(dir, name)})
	if other == nil {
		return fuse.ENOENT
	}
	out.NodeId, out.Generation, out.Mode, out.Ino, out.Nlink = other.id, 1, syscall.S_IFDIR, other.ino, 1
	return fuse.OK
}

// lookupFixed is Lookup at the top of the shape with the link.
func (f *FS) lookupFixed(n *node, name string, out *fuse.EntryOut) fuse.Status {
	var found *node
	switch {
	case n.kind == kindRoot && name == selfName:
		found = f.nodes.get(selfID)
	case n.kind == kindRoot && name == treesName:
		found = f.nodes.get(treesID)
	case n.kind == kindRoot && name == noneName:
		found = f.nodes.get(noneID)
	case n.kind == kindTrees:
		t := f.named(name)
		if t == nil {
			return fuse.ENOENT
		}
		found = f.nodes.take(key{tree: t, dir: true}, kindOwn, "", inoOf(""))
		out.NodeId, out.Generation = found.id, 1
		return fuse.Status(f.stat(found, t, "", &out.Attr))
	}
	if found == nil {
		return fuse.ENOENT
	}
	out.NodeId, out.Generation = found.id, 1
	out.SetEntryTimeout(time.Hour)
	f.statFixed(found, &out.Attr)
	return fuse.OK
}

// OpenDir implements [fuse.RawFileSystem]. The names are those of the tree of the caller, as
// they are when the first of them are read. The kernel does not remember them.
func (f *FS) OpenDir(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	n, t, path, errno := f.at(&in.InHeader)
	if n == nil {
		return fuse.Status(errno)
	}
	if errno == 0 && t != nil {
		_, errno = inTime(f, n, t, func() (union.Entry, syscall.Errno) { return t.Stack.Lookup(path) })
	} else if errno == 0 && n.kind == kindShared && n != f.root {
		errno = syscall.ENOENT
	}
	if errno != 0 && !(errno == syscall.ENOENT && n.removedIn(t)) {
		return fuse.Status(errno)
	}
	if n.kind == kindOwn && f.Cache > 0 {
		out.OpenFlags |= fuse.FOPEN_CACHE_DIR | fuse.FOPEN_KEEP_CACHE
	}
	out.Fh = f.handles.add(&handle{node: n, tree: t})
	return fuse.OK
}

// ReadDir implements [fuse.RawFileSystem].
func (f *FS) ReadDir(_ <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	opened := f.handles.get(in.Fh)
	if opened == nil {
		return fuse.EBADF
	}
	opened.mu.Lock()
	defer opened.mu.Unlock()
	if in.Offset == 0 {
		names, errno := f.list(opened)
		if errno != 0 {
			return fuse.Status(errno)
		}
		opened.names = names
	}
	for i := in.Offset; i < uint64(len(opened.names)); i++ {
		if !out.AddDirEntry(fuse.DirEntry{Name: opened.names[i].Name, Mode: opened.names[i].Type, Off: i + 1}) {
			break
		}
	}
	return fuse.OK
}

// list returns the names in a directory that is open.
func (f *FS) list(opened *handle) ([]union.Name, syscall.Errno) {
	all := []union.Name{{Name: ".", Type: syscall.S_IFDIR}, {Name: "..", Type: syscall.S_IFDIR}}
	switch opened.node.kind {
	case kindRoot:
		all = append(all, union.Name{Name: selfName, Type: syscall.S_IFLNK}, union.Name{Name: treesName, Type: syscall.S_IFDIR})
	case kindTrees:
		for _, name := range f.names() {
			all = append(all, union.Name{Name: name, Type: syscall.S_IFDIR})
		}
	}
	if opened.tree == nil {
		return all, 0
	}
	path, ok := f.nodes.pathOf(opened.node)
	if !ok || opened.tree.over.Load() {
		return all, 0 // it was removed
	}
	names, errno := inTime(f, opened.node, opened.tree, func() ([]union.Name, syscall.Errno) { return opened.tree.Stack.List(path) })
	if errno == syscall.ENOENT {
		errno = 0
	}
	return append(all, names...), errno
}

// ReleaseDir implements [fuse.RawFileSystem].
func (f *FS) ReleaseDir(in *fuse.ReleaseIn) { f.handles.remove(in.Fh) }

// FsyncDir implements [fuse.RawFileSystem].
func (f *FS) FsyncDir(<-chan struct{}, *fuse.FsyncIn) fuse.Status { return fuse.OK }

// The top of the shape with the link.
const (
	selfName, treesName, noneName = "self", "trees", "none"

	selfID, treesID, noneID = 2, 3, 4
)

// Readlink implements [fuse.RawFileSystem]. The link "self" is the caller's.
func (f *FS) Readlink(_ <-chan struct{}, h *fuse.InHeader) ([]byte, fuse.Status) {
	n, _, e, errno := f.leaf(h)
	if errno != 0 {
		return nil, fuse.Status(errno)
	}
	if n.kind == kindSelf {
		t, errno := f.treeOf(h)
		switch {
		case errno != 0:
			return nil, fuse.Status(errno)
		case t == nil:
			return []byte(noneName), fuse.OK
		}
		return []byte(treesName + "/" + t.Name), fuse.OK
	}
	target, err := readlink(e.Path)
	return target, fuse.ToStatus(err)
}

func readlink(path string) ([]byte, error) {
	for room := 256; ; room *= 2 {
		target := make([]byte, room)
		n, err := syscall.Readlink(path, target)
		if err != nil || n < room {
			return target[:max(n, 0)], err
		}
	}
}

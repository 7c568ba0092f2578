// Package view serves unions of directories by FUSE: at one mount each process tree sees its
// own one.
//
// There are two shapes of a mount. In the flat shape each path below the mount leads every
// caller to its own tree. The kernel has one inode for a directory of all trees, and asks at
// each step of a path. In the other shape the mount has a symbolic link "self", which leads
// each caller to the directory of its tree, as /proc/self does. All below that is of one tree,
// so the kernel may remember it.
package view

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/gemini-monitor/gemini/examples/layerfs/union"
)

// A Tree is what the processes of one runtime see.
type Tree struct {
	Name string
	// Stack is the union, or nil where it is not known. Then all calls get EIO.
	Stack *union.Stack
	over  atomic.Bool
}

// A Router finds the tree of a caller. FUSE names the thread that calls.
type Router interface {
	// Of returns nil for a stranger. After an error the tree is not known: the caller gets EIO.
	Of(pid int) (*Tree, error)
}

// Options are the choices of a mount.
type Options struct {
	Router Router
	// Self is the shape with the link "self".
	Self bool
	// Cache is how long the kernel may remember what does not depend on the caller.
	Cache time.Duration
	// Patience is how long the layers may take to answer about a directory that all trees
	// share. Then the caller gets EIO. The kernel locks such a directory for all of them.
	Patience time.Duration
	Log      *slog.Logger
}

// An FS is the file system of one mount.
type FS struct {
	fuse.RawFileSystem
	Options
	nodes   nodes
	handles handles
	root    *node

	mu    sync.Mutex
	trees map[string]*Tree
}

// New returns a file system that shows nothing yet.
func New(o Options) *FS {
	f := &FS{RawFileSystem: fuse.NewDefaultRawFileSystem(), Options: o, trees: make(map[string]*Tree)}
	f.root = f.nodes.fixed(fuse.FUSE_ROOT_ID, kindRoot)
	if !o.Self {
		f.root.kind = kindShared
		return f
	}
	f.nodes.fixed(selfID, kindSelf)
	f.nodes.fixed(treesID, kindTrees)
	f.nodes.fixed(noneID, kindNone)
	return f
}

// Add shows a tree. A later one of its name takes its place.
func (f *FS) Add(t *Tree) {
	if t.Stack != nil {
		t.Stack.OnCopy(func(path, to string) { f.copied(t, path, to) })
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.trees[t.Name] = t
}

// Drop ends a tree: nothing of it is shown any more.
func (f *FS) Drop(t *Tree) {
	t.over.Store(true)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.trees[t.Name] == t {
		delete(f.trees, t.Name)
	}
}

func (f *FS) named(name string) *Tree {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.trees[name]
}

func (f *FS) names() (all []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name := range f.trees {
		all = append(all, name)
	}
	return all
}

// String is the name of the file system.
func (f *FS) String() string { return "layerfs" }

// treeOf returns the tree of a caller, and nil for a stranger.
func (f *FS) treeOf(h *fuse.InHeader) (*Tree, syscall.Errno) {
	if h.Pid == 0 {
		return nil, 0
	}
	t, err := f.Router.Of(int(h.Pid))
	switch {
	case err != nil:
		return nil, syscall.EIO
	case t == nil || t.over.Load():
		return nil, 0
	}
	return t, 0
}

// at returns the tree and the path that a node stands for. A directory that all trees share
// is the caller's. The tree is nil for a stranger.
func (f *FS) at(h *fuse.InHeader) (n *node, t *Tree, path string, errno syscall.Errno) {
	if n = f.nodes.get(h.NodeId); n == nil {
		return nil, nil, "", syscall.ESTALE
	}
	switch n.kind {
	case kindShared:
		if t, errno = f.treeOf(h); errno != 0 {
			return n, nil, "", errno
		}
	case kindOwn:
		if t = n.tree; t.over.Load() {
			return n, nil, "", syscall.ENOENT
		}
	case kindLayer:
	default:
		return n, nil, "", 0
	}
	if t != nil && t.Stack == nil {
		return n, nil, "", syscall.EIO
	}
	path, ok := f.nodes.pathOf(n)
	if !ok {
		return n, t, "", syscall.ENOENT
	}
	return n, t, path, 0
}

// inTime does what asks the layers of a tree, for a node. Where that takes too long, and other
// trees would have to wait, it returns EIO, and goes on by itself. A copy that goes on is no
// wait.
func inTime[T any](f *FS, n *node, t *Tree, ask func() (T, syscall.Errno)) (T, syscall.Errno) {
	if n.kind != kindShared || t == nil || f.Patience <= 0 {
		return ask()
	}
	type answer struct {
		value T
		errno syscall.Errno
	}
	answers := make(chan answer, 1)
	go func() {
		value, errno := ask()
		answers <- answer{value, errno}
	}()
	timer := time.NewTimer(f.Patience)
	defer timer.Stop()
	for copied := t.Stack.Copied(); ; {
		select {
		case a := <-answers:
			return a.value, a.errno
		case <-timer.C:
		}
		now := t.Stack.Copied()
		if now == copied {
			var none T
			return none, syscall.EIO
		}
		copied = now
		timer.Reset(f.Patience)
	}
}

// change is inTime for what has no result.
func change(f *FS, n *node, t *Tree, do func() syscall.Errno) syscall.Errno {
	_, errno := inTime(f, n, t, func() (struct{}, syscall.Errno) { return struct{}{}, do() })
	return errno
}

// StatFs is about the file system that has the scratch layer, or the top one.
func (f *FS) StatFs(_ <-chan struct{}, h *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	_, t, _, errno := f.at(h)
	if errno != 0 || t == nil {
		return fuse.OK // df(1) would complain of all of it otherwise
	}
	var s syscall.Statfs_t
	if err := syscall.Statfs(t.Stack.Place(), &s); err != nil {
		return fuse.ToStatus(err)
	}
	out.FromStatfsT(&s)
	return fuse.OK
}

package view

import (
	"os"
	"sync"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/examples/layerfs/union"
)

// A handle is a file or directory that is open.
type handle struct {
	node   *node
	tree   *Tree // of a directory: that of the process that has opened it
	writes bool

	mu    sync.Mutex
	file  *os.File   // nil for a directory
	upper bool       // the file is in the scratch layer
	past  []*os.File // of a layer, from before the file was copied
	names []union.Name
}

// handles are those that the kernel knows, by number.
type handles struct {
	mu   sync.RWMutex
	all  map[uint64]*handle
	last uint64
}

func (s *handles) add(h *handle) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = make(map[uint64]*handle)
	}
	s.last++
	s.all[s.last] = h
	return s.last
}

func (s *handles) get(id uint64) *handle {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.all[id]
}

func (s *handles) remove(id uint64) *handle {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.all[id]
	delete(s.all, id)
	return h
}

// fd returns the descriptor to read from or write to. It stays open until the handle is
// closed.
func (h *handle) fd() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return int(h.file.Fd())
}

// swap goes on with the copy of a file: what is written to that is read here too. A copy that
// cannot be opened leaves the handle with the file of the layer.
func (h *handle) swap(to string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.file == nil || h.upper {
		return
	}
	if file, err := os.OpenFile(to, os.O_RDONLY|syscall.O_NOFOLLOW, 0); err == nil {
		h.past = append(h.past, h.file)
		h.file, h.upper = file, true
	}
}

func (h *handle) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, file := range append(h.past, h.file) {
		_ = file.Close()
	}
}

// set changes attributes of an open file of the scratch layer.
func (h *handle) set(in *fuse.SetAttrIn) syscall.Errno {
	fd := h.fd()
	return setAt(in, setters{
		chmod:    func(mode uint32) error { return unix.Fchmod(fd, mode) },
		chown:    func(user, group int) error { return unix.Fchown(fd, user, group) },
		truncate: func(size int64) error { return unix.Ftruncate(fd, size) },
		times:    func(times []unix.Timespec) error { return setTimes(fd, times) },
	})
}

// opens adds a handle to those of its node.
func (n *node) opens(h *handle) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.open == nil {
		n.open = make(map[*handle]bool)
	}
	n.open[h] = true
}

func (n *node) closes(h *handle) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.open, h)
}

// anyOpen returns a handle of the node, one of the scratch layer if there is any.
func (n *node) anyOpen() (found *handle) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for h := range n.open {
		if found == nil || h.upper {
			found = h
		}
	}
	return found
}

// statOpen fills the attributes of a file that is open, and reports whether it is.
func (n *node) statOpen(stat *syscall.Stat_t) bool {
	h := n.anyOpen()
	return h != nil && syscall.Fstat(h.fd(), stat) == nil
}

// copied has a file of a tree be the copy that was made in the scratch layer.
func (f *FS) copied(t *Tree, path, to string) {
	e := union.Entry{Path: to, Upper: true}
	if syscall.Lstat(to, &e.Stat) != nil {
		return
	}
	n := f.nodes.rekey(t, path, numbered(t, &e))
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for h := range n.open {
		h.swap(to)
	}
}

// A stamp changes when a file does.
type stamp struct {
	size           int64
	changed, inode int64
	nanoseconds    int64
}

// unchanged reports whether a file is as it was when it was last opened, so that the kernel
// can keep what it has read of it.
func (n *node) unchanged(stat *syscall.Stat_t) bool {
	change := changeTime(stat)
	now := stamp{size: stat.Size, inode: int64(stat.Ino), changed: change.Sec, nanoseconds: change.Nsec}
	n.mu.Lock()
	defer n.mu.Unlock()
	same := n.last == now
	n.last = now
	return same
}

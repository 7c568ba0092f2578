package view

import (
	"hash/fnv"
	"slices"
	"strings"
	"sync"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/gemini-monitor/gemini/examples/layerfs/union"
)

// A kind is what a node stands for.
type kind int

const (
	// kindShared is a directory that each caller sees in its own tree.
	kindShared kind = iota
	// kindOwn is a directory of one tree, or a file of a tree that can be written.
	kindOwn
	// kindLayer is a file of a layer, for all trees that cannot be written.
	kindLayer
	// The names at the top of the other shape.
	kindRoot
	kindSelf
	kindTrees
	kindNone
)

// A node is an inode of the kernel.
type node struct {
	id   uint64
	kind kind
	tree *Tree  // of kindOwn
	ino  uint64 // that stat(2) returns; it stays while the kernel knows the node

	// Guarded by the lock of the nodes.
	key     key
	lookups uint64   // how often the kernel was given it
	paths   []string // in the tree; of kindLayer the path of the file itself

	mu   sync.Mutex
	open map[*handle]bool
	last stamp // of the file when it was last opened
}

// A key finds the node of a file. A directory has a path. A file has its numbers, so that its
// names are one file, but for a file of a layer in a tree that can be written: when one of
// its names is written to, that one is another file, and the node stays.
type key struct {
	tree   *Tree
	dir    bool
	path   string
	device uint64
	number uint64
}

// A place is a path of a tree.
type place struct {
	tree *Tree
	path string
}

// nodes are those that the kernel knows.
type nodes struct {
	mu      sync.RWMutex
	byID    map[uint64]*node
	byKey   map[key]*node
	byPlace map[place]*node // of kindOwn
	last    uint64
}

// firstID is the first number for a node that is not fixed.
const firstID = 16

// fixed makes a node that the kernel never forgets.
func (s *nodes) fixed(id uint64, k kind) *node {
	if s.byID == nil {
		s.byID, s.byKey, s.byPlace, s.last = make(map[uint64]*node), make(map[key]*node), make(map[place]*node), firstID
	}
	n := &node{id: id, kind: k, ino: id, lookups: 1, paths: []string{""}}
	s.byID[id] = n
	return n
}

func (s *nodes) get(id uint64) *node {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.byID[id]
}

// known returns the node of a key, and counts that the kernel gets it.
func (s *nodes) known(k key) *node {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.byKey[k]
	if n != nil {
		n.lookups++
	}
	return n
}

// take returns the node of a key, which is made if there is none, with a path. It counts that
// the kernel gets it.
func (s *nodes) take(k key, what kind, path string, ino uint64) *node {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.byKey[k]
	if n == nil {
		s.last++
		n = &node{id: s.last, kind: what, tree: k.tree, ino: ino, key: k}
		s.byID[n.id], s.byKey[k] = n, n
	}
	n.lookups++
	s.give(n, path)
	return n
}

// give adds a path to a node, and takes it from the one that had it. The lock is held.
func (s *nodes) give(n *node, path string) {
	if n.kind == kindOwn {
		at := place{n.tree, path}
		if had := s.byPlace[at]; had != nil && had != n {
			s.lose(had, path)
		}
		s.byPlace[at] = n
	}
	if !slices.Contains(n.paths, path) {
		n.paths = append(n.paths, path)
	}
}

// lose takes a path from a node. One without any path is found by no key any more: what has
// the key later is another file. The lock is held.
func (s *nodes) lose(n *node, path string) {
	if at := (place{n.tree, path}); s.byPlace[at] == n {
		delete(s.byPlace, at)
	}
	n.paths = slices.DeleteFunc(n.paths, func(p string) bool { return p == path })
	if len(n.paths) == 0 {
		s.release(n)
	}
}

// release frees the key of a node. The lock is held.
func (s *nodes) release(n *node) {
	if s.byKey[n.key] == n {
		delete(s.byKey, n.key)
	}
}

// forget takes back what the kernel was given.
func (s *nodes) forget(id, lookups uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.byID[id]
	if n == nil || id < firstID {
		return
	}
	if n.lookups -= min(lookups, n.lookups); n.lookups > 0 {
		return
	}
	delete(s.byID, id)
	s.release(n)
	for _, path := range n.paths {
		if at := (place{n.tree, path}); s.byPlace[at] == n {
			delete(s.byPlace, at)
		}
	}
}

// rekey gives the node at a path of a tree another key, and returns the node.
func (s *nodes) rekey(t *Tree, path string, to key) *node {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.byPlace[place{t, path}]
	if n != nil {
		s.release(n)
		n.key = to
		s.byKey[to] = n
	}
	return n
}

// drop takes a path from the node that has it.
func (s *nodes) drop(t *Tree, path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.byPlace[place{t, path}]; n != nil {
		s.lose(n, path)
	}
}

// retire has the directory that all trees share at a path be another node from now on.
func (s *nodes) retire(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byKey, key{dir: true, path: path})
}

// move gives another path to the node at a path of a tree, and to those below it.
func (s *nodes) move(t *Tree, from, to string, isDir bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if had := s.byPlace[place{t, to}]; had != nil {
		s.lose(had, to)
	}
	moved := make(map[string]*node)
	if n := s.byPlace[place{t, from}]; n != nil {
		moved[from] = n
	}
	if isDir {
		for at, n := range s.byPlace {
			if at.tree == t && strings.HasPrefix(at.path, from+"/") {
				moved[at.path] = n
			}
		}
	}
	for path, n := range moved {
		delete(s.byPlace, place{t, path})
		n.paths = slices.DeleteFunc(n.paths, func(p string) bool { return p == path })
		path = to + strings.TrimPrefix(path, from)
		if n.key.path != "" {
			s.release(n)
			n.key.path = path
			s.byKey[n.key] = n
		}
		s.give(n, path)
	}
}

// pathOf returns a path of a node. It has none when all its names were removed.
func (s *nodes) pathOf(n *node) (string, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(n.paths) == 0 {
		return "", false
	}
	return n.paths[len(n.paths)-1], true
}

// nodeOf returns the node of what a lookup has found, which the kernel gets.
func (f *FS) nodeOf(parent *node, t *Tree, path string, e *union.Entry) *node {
	if e.IsDir() {
		if parent.kind == kindShared {
			return f.nodes.take(key{dir: true, path: path}, kindShared, path, inoOf(path))
		}
		return f.nodes.take(key{tree: t, dir: true, path: path}, kindOwn, path, inoOf(path))
	}
	k := numbered(t, e)
	switch {
	case !t.Stack.Editable():
		k.tree = nil
		return f.nodes.take(k, kindLayer, e.Path, mix(k.device, k.number))
	case !e.Upper:
		return f.nodes.take(key{tree: t, path: path}, kindOwn, path, mix(k.device, k.number))
	}
	return f.nodes.take(k, kindOwn, path, mix(k.device, k.number))
}

func numbered(t *Tree, e *union.Entry) key {
	return key{tree: t, device: uint64(e.Stat.Dev), number: e.Stat.Ino}
}

// inoOf returns the number that stat(2) has for a directory of a path. It stays when the
// directory is copied, and is the same in all trees.
func inoOf(path string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(path))
	return h.Sum64() | 1<<63
}

// mix returns the number that stat(2) has for a file of some device: two layers may be on two
// file systems, which have the same numbers.
func mix(device, number uint64) uint64 {
	mixed := (number ^ device<<40 ^ device>>24) &^ (1 << 63)
	return max(mixed, firstID)
}

// Forget implements [fuse.RawFileSystem].
func (f *FS) Forget(id, lookups uint64) { f.nodes.forget(id, lookups) }

var _ fuse.RawFileSystem = (*FS)(nil)

package monitor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// A historyTail reads the lines that are added to the history of a store, also across the
// files of it.
type historyTail struct {
	store *Store
	tail
}

// next returns the runtimes that were added, and whether some may have been missed. Where the
// file is not there yet, it has none.
func (h *historyTail) next() (all []Past, missed bool, err error) {
	if h.file != nil {
		all = h.read()
		if h.is(h.store.history()) {
			return all, false, nil
		}
		earlier := filepath.Join(h.store.dir, earlierHistoryFile)
		if !h.is(earlier) { // it was replaced twice, or was deleted
			missed = true
			if h.open(earlier) == nil {
				all = append(all, h.read()...)
			}
		} else {
			all = append(all, h.read()...) // what came before it was renamed
		}
	}
	switch err := h.open(h.store.history()); {
	case errors.Is(err, fs.ErrNotExist):
		return all, missed, nil
	case err != nil:
		return all, missed, err
	}
	return append(all, h.read()...), missed, nil
}

// open opens a file in place of the one that is open.
func (h *historyTail) open(path string) error {
	file, err := openRegular(path, os.O_RDONLY|noFollow)
	h.tail.close()
	h.tail = tail{file: file}
	if err != nil {
		h.file = nil
	}
	return err
}

// read returns the runtimes in the lines that the open file has got.
func (h *historyTail) read() (all []Past) {
	for line := range h.lines() {
		all = append(all, pastsOf(line)...)
	}
	return all
}

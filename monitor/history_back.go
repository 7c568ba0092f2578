package monitor

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// historyBlock is how many bytes of a history are read at a time, from its end backwards.
const historyBlock = 16 << 10

// Ended returns the last runtime of a name in the history. Where an owner is given, it is the
// runtime of that owner. The error is [ErrNotExist] where the history has none.
func (s *Store) Ended(name string, owner process.Identity) (Past, error) {
	if !validName(name) {
		return Past{}, badName(name)
	}
	// The characters of a name are the same in JSON, so most lines are not parsed.
	word := []byte(`"` + name + `"`)
	fits := func(line []byte) (Past, bool) {
		if !bytes.Contains(line, word) {
			return Past{}, false
		}
		p, is := pastOfLine(line)
		return p, is && p.Name == name && (owner == process.Identity{} || p.Owner == owner)
	}
	// The present file is read first: see [Store.History].
	p, found, unread := lastPast(s.history(), fits)
	if found {
		return p, nil
	}
	p, found, err := lastPast(filepath.Join(s.dir, earlierHistoryFile), fits)
	if found {
		return p, nil
	}
	if err = errors.Join(unread, err); err == nil {
		err = (&Runtime{store: s, name: name}).wrap(ErrNotExist)
	}
	return Past{}, err
}

// lastPast returns the runtime in the last line of a file that fits. A file that does not
// exist has none.
func lastPast(path string, fits func(line []byte) (Past, bool)) (p Past, found bool, err error) {
	file, size, err := openPast(path)
	if file == nil {
		return p, false, err
	}
	defer file.Close()
	for line, err := range linesBackwards(file, max(0, size-historyLook), size, historyBlock) {
		if err != nil {
			return Past{}, false, fmt.Errorf("read the history: %w", err)
		}
		if p, found = fits(line); found {
			return p, true, nil
		}
	}
	return Past{}, false, nil
}

// openPast opens a file of the history and returns its size. It returns nil where there is no
// file, or where it cannot be opened.
func openPast(path string) (*os.File, int64, error) {
	file, err := openRegular(path, os.O_RDONLY|noFollow)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read the history: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, 0, fmt.Errorf("read the history: %w", err)
	}
	return file, info.Size(), nil
}

// linesBackwards returns the lines between two places of a file, the last one first, without
// the empty ones and without their ends. It reads a block at a time. It ends with the error of
// a read.
func linesBackwards(file io.ReaderAt, from, to, block int64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var rest []byte // of a line that begins in an earlier block
		for to > from {
			size := min(block, to-from)
			to -= size
			text := make([]byte, size)
			if _, err := io.ReadFull(io.NewSectionReader(file, to, size), text); err != nil {
				yield(nil, err)
				return
			}
			rest = append(text, rest...)
			for i := bytes.LastIndexByte(rest, '\n'); i >= 0; i = bytes.LastIndexByte(rest, '\n') {
				if line := rest[i+1:]; len(line) > 0 && !yield(line, nil) {
					return
				}
				rest = rest[:i]
			}
		}
		if len(rest) > 0 {
			yield(rest, nil)
		}
	}
}

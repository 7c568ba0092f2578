package monitor

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gemini-monitor/gemini/internal/flock"
)

// addPast adds a runtime to the history, with one write at the end of the file: monitors of
// the same store write at the same time.
func (s *Store) addPast(p Past) error {
	line, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("write the history: %w", err)
	}
	file, err := s.openHistory()
	if err != nil {
		return fmt.Errorf("write the history: %w", err)
	}
	line = append(line, '\n')
	if cutShort(file) {
		line = append([]byte{'\n'}, line...)
	}
	_, err = file.Write(line)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write the history: %w", err)
	}
	return nil
}

// openHistory opens the file that the next line goes to. A full one is renamed first.
func (s *Store) openHistory() (*os.File, error) {
	file, err := s.openPresent()
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil || info.Size() < historySize || !s.setHistoryAside(file) {
		return file, nil
	}
	next, err := s.openPresent()
	if err != nil {
		return file, nil // the line goes to the earlier one
	}
	file.Close()
	return next, nil
}

// openPresent opens the file of the history, and makes it where there is none. Nothing is
// written behind a link.
func (s *Store) openPresent() (*os.File, error) {
	how := os.O_RDWR | os.O_APPEND | noFollow
	for try := 1; ; try++ {
		file, err := openRegular(s.history(), how)
		if !errors.Is(err, os.ErrNotExist) || try == historyTries {
			return file, err
		}
		// Another monitor may make it too: then its file is opened.
		if err := makeFile(s.history(), nil); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, err
		}
	}
}

// historyTries is how often the file is opened, which may be full and renamed each time before
// that: each takes hundreds of lines of other monitors.
const historyTries = 10

// setHistoryAside renames a full file, and reports whether that was done. One monitor at a
// time does so: the lock is on the file, which has to be the present one still.
func (s *Store) setHistoryAside(file *os.File) bool {
	if got, err := flock.Try(file, true); !got || err != nil {
		return false
	}
	defer func() { _ = flock.Release(file) }()
	mine, err := file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(s.history())
	if err != nil || !os.SameFile(mine, there) {
		return err == nil // another monitor has renamed it
	}
	return os.Rename(s.history(), filepath.Join(s.dir, earlierHistoryFile)) == nil
}

// cutShort reports whether a file does not end with a whole line: its disk was full, or a
// monitor was killed.
func cutShort(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return false
	}
	last := []byte{'\n'}
	_, err = file.ReadAt(last, info.Size()-1)
	return err == nil && last[0] != '\n'
}

package resident

import (
	"errors"
	"os"
	"runtime/debug"
	"sync"
)

// A LogFile is a log that stays small: where it would get longer than a limit, it is put
// aside under its name with ".1" at the end, in the place of an older one.
type LogFile struct {
	path string

	mu   sync.Mutex
	file *os.File
	size int64
	torn bool // the file ends with a part of a line
}

// maxLog is how long a log may get, in bytes.
const maxLog = 1 << 20

// OpenLog opens a log for appending. The trace of a crash of this process goes there too.
func OpenLog(path string) (*LogFile, error) {
	l := &LogFile{path: path}
	return l, l.open()
}

func (l *LogFile) open() error {
	file, err := openFile(l.path, os.O_WRONLY|os.O_APPEND)
	if err != nil {
		return err
	}
	if info, err := file.Stat(); err == nil {
		l.size = info.Size()
	}
	if l.file != nil {
		l.file.Close()
	}
	l.file, l.torn = file, false
	return debug.SetCrashOutput(file, debug.CrashOptions{})
}

// Write appends a line. One that was cut short before, on a full disk, is ended first.
func (l *LogFile) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size+int64(len(line)) > maxLog {
		l.rotate()
	}
	if l.torn {
		n, err := l.file.Write([]byte{'\n'})
		l.size += int64(n)
		if err != nil {
			return 0, err
		}
		l.torn = false
	}
	n, err := l.file.Write(line)
	l.size += int64(n)
	l.torn = err != nil && n > 0
	return n, err
}

// rotate begins a new file. Where that fails, the old one gets longer, and the next line
// tries again. Another process may have begun one: a resident and its guard write to the
// same log.
func (l *LogFile) rotate() {
	if !l.there() {
		_ = l.open()
		return
	}
	if err := os.Rename(l.path, l.path+".1"); err == nil || errors.Is(err, os.ErrNotExist) {
		_ = l.open()
	}
}

// there reports whether the file that is open has the name, or that cannot be known.
func (l *LogFile) there() bool {
	ours, err := l.file.Stat()
	named, failed := os.Lstat(l.path)
	return err != nil || failed == nil && os.SameFile(ours, named)
}

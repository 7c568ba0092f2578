package monitor

import (
	"errors"
	"io"
	"os"
)

// LogWriter returns a writer to the log of the runtime. It opens the file for each line,
// so that a monitor of many runtimes needs no descriptor for it. What is written after the
// runtime was removed goes nowhere, which is no error. One goroutine uses it at a time.
func (r *Runtime) LogWriter() io.Writer { return &logWriter{path: r.path(logFile)} }

type logWriter struct {
	path string
	torn bool // the file ends with a part of a line
}

func (w *logWriter) Write(line []byte) (int, error) {
	file, err := openRegular(w.path, os.O_WRONLY|os.O_APPEND)
	if errors.Is(err, os.ErrNotExist) {
		return len(line), nil
	}
	if err != nil {
		return 0, err
	}
	n, err := w.append(file, line)
	return n, errors.Join(err, file.Close())
}

// append ends a line that was cut short before it writes the next one.
func (w *logWriter) append(file *os.File, line []byte) (n int, err error) {
	if w.torn {
		if _, err := file.Write([]byte{'\n'}); err != nil {
			return 0, err
		}
		w.torn = false
	}
	n, err = file.Write(line)
	w.torn = err != nil && n > 0
	return n, err
}

// OpenLog opens the log of a runtime for reading, at the path that [Status] has. It does not
// wait for a writer where a pipe was put in its place: that is an error.
func OpenLog(path string) (*os.File, error) { return openRegular(path, os.O_RDONLY) }

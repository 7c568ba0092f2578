package monitor

import (
	"errors"
	"io"
	"os"
)

// LogWriter returns a writer to the log of the runtime. It opens the file for each line,
// so that a monitor of many runtimes needs no descriptor for it. What is written after the
// runtime was removed goes nowhere, which is no error.
func (r *Runtime) LogWriter() io.Writer { return logWriter{r.path(logFile)} }

type logWriter struct{ path string }

func (w logWriter) Write(line []byte) (int, error) {
	file, err := os.OpenFile(w.path, os.O_WRONLY|os.O_APPEND, 0)
	if errors.Is(err, os.ErrNotExist) {
		return len(line), nil
	}
	if err != nil {
		return 0, err
	}
	n, err := file.Write(line)
	return n, errors.Join(err, file.Close())
}

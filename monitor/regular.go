package monitor

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// errIrregular reports a file of a store that is a pipe, a device or a directory.
var errIrregular = errors.New("is not a regular file")

// openRegular opens a file of a store. It never waits: where a process has put a pipe or a
// device in its place, the error is [errIrregular], or the kernel's.
func openRegular(path string, flag int) (*os.File, error) {
	file, err := os.OpenFile(path, flag|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &os.PathError{Op: "open", Path: path, Err: errIrregular}
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// readRegular returns the content of a file of a store.
func readRegular(path string) ([]byte, error) {
	file, err := openRegular(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}

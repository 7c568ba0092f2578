//go:build darwin || linux

// Package mount tells where file systems are mounted, and when that changes.
package mount

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
)

// Below returns a mount point at a directory or below it, as this process sees the
// mounts, and "" where there is none. It asks no mounted file system, so a dead one
// does not block it. A directory that does not exist has none. Calls at the same time share
// one reading.
func Below(dir string) (point string, err error) {
	real, err := canonical(filepath.Dir(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	real = filepath.Join(real, filepath.Base(dir))
	l := lookings.join()
	if l.err != nil {
		return "", fmt.Errorf("read the mount points: %w", l.err)
	}
	for _, point := range l.points {
		if point == real || strings.HasPrefix(point, strings.TrimSuffix(real, "/")+"/") {
			return point, nil
		}
	}
	return "", nil
}

// Notify calls changed after each time that something is mounted or unmounted. After
// stop, which waits for a call that is under way, it calls nothing more.
func Notify(changed func()) (stop func(), err error) {
	s, err := newSource()
	if err != nil {
		return nil, fmt.Errorf("watch the mounts: %w", err)
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		for s.next() == nil {
			changed()
		}
	})
	return func() {
		s.stop()
		reading.Wait()
		s.close()
	}, nil
}

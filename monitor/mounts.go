package monitor

import (
	"github.com/gemini-monitor/gemini/internal/erase"
	"github.com/gemini-monitor/gemini/internal/mount"
)

// A mountWatch rings when no file system is mounted in a directory any more.
type mountWatch struct {
	bell
	stop func()
}

// watchMounted watches a directory in which a file system is mounted.
func watchMounted(dir string) (*mountWatch, error) {
	w := &mountWatch{}
	var err error
	w.stop, err = mount.Notify(func() {
		if erase.Unmounted(dir) == nil {
			w.ring()
		}
	})
	return w, err
}

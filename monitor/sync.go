package monitor

import (
	"os"
	"path/filepath"
)

// Durable runtimes outlive the machine, and so do their records: what is written of them waits
// for the disk (docs/xnu.md X35). Nothing else in the store does.

// syncFile has what was written into a file survive a crash of the machine.
func syncFile(file *os.File) error { return file.Sync() }

// syncDir does so for the names in a directory, where its file system can.
func syncDir(dir string) {
	if opened, err := os.Open(dir); err == nil {
		_ = opened.Sync()
		_ = opened.Close()
	}
}

// keepName does so for the name of a new durable runtime.
func (r *Runtime) keepName() {
	for _, dir := range []string{r.store.runtimes(), r.store.dir, filepath.Dir(r.store.dir)} {
		syncDir(dir)
	}
}

package erase

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// Where openat2 is not there, a mount point is recognised by the mount of its descriptor.
func TestOpenCompared(t *testing.T) {
	root, err := unix.Open("/", unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(root)
	if _, err := openCompared(root, "proc", unix.O_PATH|unix.O_DIRECTORY); !errors.Is(err, ErrMounted) {
		t.Errorf("/proc: %v, want %v", err, ErrMounted)
	}
	dir := t.TempDir()
	if err := os.Mkdir(dir+"/plain", 0o700); err != nil {
		t.Fatal(err)
	}
	parent, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(parent)
	fd, err := openCompared(parent, "plain", unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		t.Fatalf("a plain directory: %v", err)
	}
	unix.Close(fd)
}

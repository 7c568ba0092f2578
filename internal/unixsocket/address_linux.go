package unixsocket

import (
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

const dirFlags = unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC

// from calls do with a name that leads through the descriptor of a directory
// (docs/linux.md L55).
func from(dir int, name string, do func(name string) error) error {
	link := "/proc/self/fd/" + strconv.Itoa(dir)
	if len(link)+1+len(name) > maxName {
		return unix.ENAMETOOLONG
	}
	err := do(link + "/" + name)
	if errors.Is(err, unix.ENOENT) && unix.Access(link, unix.F_OK) != nil {
		// Not wrapped: a missing /proc does not mean that nothing has the name.
		return fmt.Errorf("paths of more than %d bytes need /proc, which is not mounted: %v", maxName, err)
	}
	return err
}

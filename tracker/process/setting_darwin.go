package process

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

const (
	kernProcArgs2 = 49
	// argMax is the most that XNU returns, with the number before it: a larger buffer is
	// an error, and a smaller one gets the end of the area (docs/xnu.md X57).
	argMax = 1<<20 + 4
)

// Settings returns the values that a variable has in the environment of a process. They
// are those that the program has found when it began, unless it has changed that area
// since. The error is [ErrGone] when the process is dead or exiting or the PID is
// another's, [fs.ErrPermission] when the environment may not be read, and [ErrBetween].
//
// Another user's process does not show its environment, and neither does a program of
// Apple's (docs/xnu.md X57).
func (r *Reader) Settings(id Identity, variable string) ([]string, error) {
	values, size, err := r.settings(id, variable)
	if len(values) > 0 || err != nil && !errors.Is(err, errWithheld) {
		return values, err
	}
	// The kernel copies the words while the process may go on to another program.
	first := bytes.Clone(r.words[:size])
	again, size, err := r.settings(id, variable)
	if len(again) == 0 && (err == nil || errors.Is(err, errWithheld)) && !bytes.Equal(first, r.words[:size]) {
		return nil, ErrBetween
	}
	return again, err
}

// errWithheld: the kernel has left the environment out.
var errWithheld = fmt.Errorf("the environment is withheld: %w", fs.ErrPermission)

// settings asks once, and returns how many bytes of words there are.
func (r *Reader) settings(id Identity, variable string) (values []string, size int, err error) {
	if size, err = r.askWords(id); err != nil {
		return nil, 0, err
	}
	values, err = settingsIn(r.words[:size], variable)
	return values, size, err
}

// askWords has the kernel copy the words of a process, and returns how many bytes there are.
func (r *Reader) askWords(id Identity) (size int, err error) {
	if r.words == nil {
		r.words = make([]byte, argMax)
	}
	size, asked := sysctl([]int32{ctlKern, kernProcArgs2, int32(id.PID)}, r.words)
	now, err := r.Lookup(id.PID)
	switch {
	case err != nil:
		return 0, err
	case now.Identity != id || now.State == Zombie || now.State == Exiting:
		return 0, ErrGone
	case asked == unix.EINVAL && now.User != os.Geteuid() && os.Geteuid() != 0:
		return 0, fs.ErrPermission
	case asked == unix.EINVAL:
		return 0, ErrBetween // what else it stands for was excluded
	}
	return size, asked
}

// firstOfKernel is how the first string of the kernel's begins.
var firstOfKernel = []byte("ptr_munge=")

// settingsIn finds the values of a variable in what KERN_PROCARGS2 returned. An environment
// that the kernel withholds is not there at all, and is taken for withheld where a process
// has none.
func settingsIn(words []byte, variable string) ([]string, error) {
	_, words, ok := cutProcArgs(words)
	if !ok {
		return nil, ErrBetween // the words of the program before are gone already
	}
	if len(words) == 0 || words[0] == 0 || bytes.HasPrefix(words, firstOfKernel) {
		return nil, errWithheld
	}
	scan := newSettingScan(variable)
	scan.take(words)
	scan.end()
	return scan.values, nil
}

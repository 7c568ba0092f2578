package process

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Reader reads the process table again and again, through one descriptor and
// buffers that it keeps. One goroutine uses it at a time.
type Reader struct {
	boot   string
	proc   int
	mount  int64 // the id of the mount at proc, or 0
	names  [32 << 10]byte
	path   [32]byte
	record [1024]byte
	length int // of the last record
	owner  unix.Stat_t
	shows  showing // by the last read
}

// OpenReader returns a reader of the process table. Close it after use. It fails where
// /proc shows another PID namespace than that of this process.
func OpenReader() (*Reader, error) {
	boot, err := Boot()
	if err != nil {
		return nil, err
	}
	if err := checkProc(); err != nil {
		return nil, err
	}
	fd, err := unix.Open("/proc", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open /proc: %w", err)
	}
	return &Reader{boot: boot, proc: fd, mount: mountOf(fd)}, nil
}

// checkProc returns an error unless /proc shows the PID namespace of this process. It
// shows another one after unshare --pid without --mount-proc, and the PID of this
// process names another there.
var checkProc = sync.OnceValue(func() error {
	self, err := os.Readlink("/proc/self")
	if err != nil {
		return fmt.Errorf("find this process in /proc: %w", err)
	}
	if pid := os.Getpid(); self != strconv.Itoa(pid) {
		return fmt.Errorf("/proc shows another PID namespace: this is process %d, and %s there", pid, self)
	}
	return nil
})

// Close releases the descriptor.
func (r *Reader) Close() { unix.Close(r.proc) }

// Read appends one row for each process to rows, zombies included. It is no
// snapshot: see [Table]. A process that /proc hides has no row; see [Reader.Partial].
func (r *Reader) Read(rows []Row) ([]Row, error) {
	r.shows = showing{}
	err := r.eachName(func(name []byte) error {
		p, err := r.readOne(name)
		switch {
		case errors.Is(err, ErrGone):
			return nil // between the listing and now
		case errors.Is(err, fs.ErrPermission):
			// One row is hidden; the others are not.
			r.shows.refused = r.shows.refused || lives(int(number(name)))
			return nil
		case err != nil:
			return err
		}
		r.shows.see(&p)
		rows = append(rows, p)
		return nil
	})
	if err == nil {
		r.shows.hidden = r.shows.own && r.mayHide() && r.hidesChild(rows)
	}
	return rows, err
}

// eachName calls do with the name of the directory of each process, until it returns an
// error.
func (r *Reader) eachName(do func(name []byte) error) error {
	if _, err := unix.Seek(r.proc, 0, unix.SEEK_SET); err != nil {
		return fmt.Errorf("read process table: %w", err)
	}
	for {
		n, err := unix.Getdents(r.proc, r.names[:])
		if err == unix.EINTR {
			continue
		}
		if n > 0 {
			err = eachNameIn(r.names[:n], do)
		}
		if err != nil {
			return fmt.Errorf("read process table: %w", err)
		}
		if n == 0 {
			return nil
		}
	}
}

// eachNameIn does so for a block of directory entries.
func eachNameIn(entries []byte, do func(name []byte) error) error {
	for len(entries) > 0 {
		name, rest, ok := cutEntry(entries)
		if !ok {
			return fmt.Errorf("unexpected directory entry in /proc: %q", entries)
		}
		entries = rest
		if name[0] < '1' || name[0] > '9' {
			continue
		}
		if err := do(name); err != nil {
			return err
		}
	}
	return nil
}

// cutEntry returns the name in the first of some directory entries, without the zero byte
// that ends it, and the entries after it (struct linux_dirent64, getdents64(2): the length
// of the entry at 16, the name from 19). It reports false if the entry is cut or its name
// is empty.
func cutEntry(entries []byte) (name, rest []byte, ok bool) {
	const sizeAt, nameAt = 16, 19
	if len(entries) < nameAt {
		return nil, nil, false
	}
	size := int(binary.NativeEndian.Uint16(entries[sizeAt:]))
	if size < nameAt || size > len(entries) {
		return nil, nil, false
	}
	name = entries[nameAt:size]
	end := bytes.IndexByte(name, 0)
	if end <= 0 {
		return nil, nil, false
	}
	return name[:end], entries[size:], true
}

// readOne reads the row of the process whose PID is name.
func (r *Reader) readOne(name []byte) (p Row, err error) {
	for {
		if p, err = r.readOnce(name); err != errPassing {
			return p, err
		}
	}
}

func (r *Reader) readOnce(name []byte) (Row, error) {
	fd, err := openRetry(r.proc, append(append(r.path[:0], name...), "/stat\x00"...))
	if err == unix.ENOENT || err == unix.ESRCH {
		return Row{}, ErrGone
	}
	if err != nil {
		return Row{}, err
	}
	defer unix.Close(fd)
	n, err := readRetry(fd, r.record[:])
	if err == unix.ESRCH {
		return Row{}, ErrGone
	}
	if err != nil {
		return Row{}, err
	}
	// The files of /proc/PID belong to the effective user, or to root where
	// the process must not be dumped.
	if err := unix.Fstat(fd, &r.owner); err != nil {
		return Row{}, err
	}
	r.length = n
	p, err := parseStat(r.record[:n])
	p.Boot, p.User = r.boot, int(r.owner.Uid)
	return p, err
}

// Lookup returns the row of one process. The error is [ErrGone] when there is no
// such process, and [fs.ErrPermission] when it lives and /proc hides it.
//
// A missing row proves nothing: the mount option hidepid hides processes, and while
// a thread that is not the first one execs, the row of the first one can be missing.
// A row proves nothing either: /proc has one for the id of each thread. tgkill(2)
// with signal 0 shows whether an id is that of a process.
func (r *Reader) Lookup(pid int) (Row, error) {
	if pid <= 0 {
		return Row{}, ErrGone
	}
	var digits [20]byte
	name := strconv.AppendInt(digits[:0], int64(pid), 10)
	for range maxAttempts {
		if unix.Tgkill(pid, pid, 0) == unix.ESRCH {
			return Row{}, ErrGone
		}
		if p, err := r.readOne(name); !errors.Is(err, ErrGone) {
			return p, err
		}
	}
	return Row{}, errHidden
}

// maxAttempts is how often the row of a process that exists is read until it is
// there.
const maxAttempts = 100

// errHidden reports a process that lives and has no row in /proc.
var errHidden = fmt.Errorf("/proc hides it: %w", fs.ErrPermission)

// openRetry opens a path, which ends with a zero byte, below a directory. It
// makes no garbage; unix.Openat copies the path to new memory.
func openRetry(dir int, path []byte) (int, error) {
	for {
		fd, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(dir), uintptr(unsafe.Pointer(&path[0])),
			unix.O_RDONLY|unix.O_CLOEXEC, 0, 0, 0)
		switch errno {
		case 0:
			return int(fd), nil
		case unix.EINTR:
		default:
			return -1, errno
		}
	}
}

func readRetry(fd int, buffer []byte) (n int, err error) {
	for {
		n, err = unix.Read(fd, buffer)
		if err != unix.EINTR {
			return n, err
		}
	}
}

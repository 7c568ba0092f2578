package process

import (
	"bytes"

	"golang.org/x/sys/unix"
)

// mountOf returns the id of the mount that a descriptor is on, or 0 before Linux 5.8.
func mountOf(fd int) int64 {
	var found unix.Statx_t
	err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_MNT_ID, &found)
	if err != nil || found.Mask&unix.STATX_MNT_ID == 0 {
		return 0
	}
	return int64(found.Mnt_id)
}

// mayHide reports whether /proc is mounted with the option hidepid now. It can be mounted
// anew while this process runs. Where that cannot be found out, mayHide reports true.
func (r *Reader) mayHide() bool {
	fd, err := openRetry(r.proc, append(r.path[:0], "self/mountinfo\x00"...))
	if err != nil {
		return true
	}
	defer unix.Close(fd)
	found, hides := false, false
	err = r.eachPart(fd, '\n', func(line []byte) bool {
		if isMount(line, r.mount) {
			found, hides = true, hides || hidesProcesses(line)
		}
		return !hides
	})
	return hides || !found || err != nil
}

// isMount reports whether a line of mountinfo is about the mount with an id, or about one
// at /proc for the id 0 (proc_pid_mountinfo(5): the id is the first field, the mount point
// the fifth).
func isMount(line []byte, id int64) bool {
	field := 1
	for word := range bytes.FieldsSeq(line) {
		switch {
		case field == 1 && id != 0:
			return number(word) == id
		case field == 5:
			return string(word) == "/proc"
		}
		field++
	}
	return false
}

// hidesProcesses reports whether a line of mountinfo has the option hidepid, which the
// kernel writes among those of the file system, after the dash, unless it is off.
func hidesProcesses(line []byte) bool {
	_, fileSystem, _ := bytes.Cut(line, []byte(" - "))
	return bytes.Contains(fileSystem, []byte("hidepid="))
}

// eachPart reads a file to its end, or until do returns false, and calls do with each
// part that is not empty. The parts end with a separator, or with the file. It makes no
// garbage. A part that does not fit in the buffer is an error.
func (r *Reader) eachPart(fd int, separator byte, do func(part []byte) bool) error {
	kept := 0
	for {
		n, err := readRetry(fd, r.names[kept:])
		if err != nil {
			return err
		}
		text := r.names[:kept+n]
		for {
			end := bytes.IndexByte(text, separator)
			if end < 0 {
				break
			}
			if end > 0 && !do(text[:end]) {
				return nil
			}
			text = text[end+1:]
		}
		switch {
		case n == 0 && len(text) > 0:
			do(text)
			return nil
		case n == 0:
			return nil
		case len(text) == len(r.names):
			return unix.E2BIG
		}
		kept = copy(r.names[:], text)
	}
}

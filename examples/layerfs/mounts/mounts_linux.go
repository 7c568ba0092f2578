package mounts

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Kind is the type that a mount of layerfs has.
const Kind = "fuse.layerfs"

// table reads the mounts of this process (proc_pid_mountinfo(5)).
func table() ([]Mount, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("read the mount table: %w", err)
	}
	return parse(text), nil
}

func parse(text []byte) (all []Mount) {
	for line := range bytes.Lines(text) {
		mount, source, whole := strings.Cut(string(line), " - ")
		fields, from := strings.Fields(mount), strings.Fields(source)
		if !whole || len(fields) < 5 || len(from) < 2 {
			continue
		}
		all = append(all, Mount{Point: unescape(fields[4]), Kind: from[0], Source: unescape(from[1])})
	}
	return all
}

// unescape replaces \040 and the like by the byte.
func unescape(field string) string {
	var out strings.Builder
	for i := 0; i < len(field); i++ {
		if field[i] == '\\' && i+3 < len(field) {
			if b, err := strconv.ParseUint(field[i+1:i+4], 8, 8); err == nil {
				out.WriteByte(byte(b))
				i += 3
				continue
			}
		}
		out.WriteByte(field[i])
	}
	return out.String()
}

// Detach takes a mount from its place. Processes that use it go on to.
func Detach(point string) error {
	if err := unix.Unmount(point, unix.MNT_DETACH); err != nil {
		return &os.PathError{Op: "unmount", Path: point, Err: err}
	}
	return nil
}

// Remove unmounts what no process uses. The error is EBUSY otherwise.
func Remove(point string) error {
	if err := unix.Unmount(point, 0); err != nil {
		return &os.PathError{Op: "unmount", Path: point, Err: err}
	}
	return nil
}

// UsersOf returns the processes that stand in a mount, have their root there, or have a file
// of it open or mapped. Those of other users may be missing.
func UsersOf(m Mount) (users []User) {
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range processes {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		if how := useOf(dir, m); how != "" && pid != os.Getpid() {
			command, _ := os.ReadFile(dir + "/comm")
			users = append(users, User{pid, strings.TrimSpace(string(command)), how})
		}
	}
	return users
}

// useOf returns how a process uses a mount: the links of /proc lead to paths, so the mount is
// not asked.
func useOf(dir string, m Mount) string {
	for _, link := range []struct{ name, how string }{{"cwd", "stands there"}, {"root", "has its root there"}, {"exe", "runs a program of it"}} {
		if target, err := os.Readlink(dir + "/" + link.name); err == nil && within(target, m.Point) {
			return link.how
		}
	}
	for _, of := range []string{"fd", "map_files"} {
		opened, _ := os.ReadDir(dir + "/" + of)
		for _, o := range opened {
			if target, err := os.Readlink(dir + "/" + of + "/" + o.Name()); err == nil && within(target, m.Point) {
				return "has " + strings.TrimSuffix(target, " (deleted)") + " open"
			}
		}
	}
	return ""
}

func within(path, point string) bool {
	return path == point || strings.HasPrefix(path, point+"/")
}

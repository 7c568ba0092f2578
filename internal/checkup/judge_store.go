package checkup

import (
	"errors"
	"fmt"
	"strings"
)

const refusal = "run and shell refuse to start a command"

// judgeStore is about the directory of the runtimes.
func judgeStore(f Facts) []Finding {
	s := f.Store
	where := s.Dir
	if on := kindOf(s.FileSystem); on != "" {
		where += " (" + on + ")"
	}
	switch {
	case errors.Is(s.Err, ErrLate):
		if where == "" {
			where = "its file system"
		}
		return one(Refused, "store", where+": "+ErrLate.Error(), refusal, "another store (--store, MONITOR_STORE), on a local disk that answers")
	case s.Err != nil:
		return one(Refused, "store", text(s.Err), refusal, "another store (--store, MONITOR_STORE), or that its owner and mode are made right")
	case s.Unwritable != nil:
		return one(Refused, "store", where+" cannot be written: "+text(s.Unwritable), refusal, "another store (--store, MONITOR_STORE), where this user can write")
	case s.FileSystem.Remote:
		return one(Weaker, "store", where+": no local file system",
			"the lease is flock(2), which was not tested there: a runtime may be removed too early, or stay",
			"another store (--store, MONITOR_STORE), on a local disk")
	case inTemporary(s.Dir):
		return one(Note, "store", where+": in a directory that programs clean",
			"what deletes old files may delete a runtime that has no monitor",
			"another store (--store, MONITOR_STORE), outside of "+temporary(s.Dir))
	case !s.There:
		return one(OK, "store", where+": not there yet, the first run makes it", "", "")
	}
	return one(OK, "store", where, "", "")
}

// kindOf returns a file system in words, "" where nothing is known.
func kindOf(s FileSystem) string {
	if s.Kind == "" {
		return ""
	}
	return s.Kind + " at " + s.Point
}

// temporaries are directories that systems clean (tmpfiles.d(5)).
var temporaries = []string{"/tmp", "/var/tmp", "/private/tmp", "/private/var/tmp", "/var/folders", "/private/var/folders"}

func temporary(dir string) string {
	for _, t := range temporaries {
		if dir == t || strings.HasPrefix(dir, t+"/") {
			return t
		}
	}
	return ""
}

func inTemporary(dir string) bool { return temporary(dir) != "" }

const (
	scarceBytes = 16 << 20
	scarceFiles = 100
	// runtimeBytes and runtimeFiles are what one runtime takes.
	runtimeBytes = 64 << 10
	runtimeFiles = 8
)

// judgeSpace is about what the file system of the store has left.
func judgeSpace(f Facts) []Finding {
	s := f.Store
	if s.Err != nil || s.FileSystem.Kind == "" || s.FileSystem.Bytes == Unlimited {
		return nil
	}
	is := size(s.FileSystem.Bytes) + " free"
	if s.FileSystem.Files != Unlimited {
		is += fmt.Sprintf(", room for %d files", s.FileSystem.Files)
	}
	change := "delete something at " + s.FileSystem.Point + ", or take another store"
	switch {
	case s.FileSystem.Bytes < runtimeBytes, s.FileSystem.Files < runtimeFiles:
		return one(Refused, "space", is, refusal+"; runtimes that are there are watched on and removed", change)
	case s.FileSystem.Bytes < scarceBytes, s.FileSystem.Files < scarceFiles:
		return one(Note, "space", is, "when it is used up, "+refusal, change)
	}
	return one(OK, "space", is, "", "")
}

// judgeUnswept is about what killed monitors have left.
func judgeUnswept(f Facts) []Finding {
	if f.Store.Unswept == 0 {
		return nil
	}
	return one(Note, "leftovers", count(f.Store.Unswept, "removed or half made runtime")+" to be deleted", "",
		"a monitor that runs in the store deletes them; what cannot be deleted is above, with the reason")
}

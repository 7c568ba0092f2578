package checkup

import (
	"errors"
	"math"
	"time"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker"
)

// ErrLate reports a question that was not answered in time: of a file system that hangs,
// or of a process that is stopped.
var ErrLate = errors.New("no answer within 2 seconds")

// Facts are what [Gather] has found out. A part with an error has nothing else.
type Facts struct {
	Program  Program
	Kernel   Kernel
	Tracking Tracking
	Table    Table
	Marks    Marks
	Limits   Limits
	Store    Store
	Runtimes Runtimes
	Resident Resident
	Around   Around
	Session  Session
}

// A Program is the one that asks.
type Program struct {
	// Version is that of its source, such as v0.1.0 or (devel), and Build what it was made
	// by and for.
	Version, Build string
	// Signals is why it does not know the signals that it was started with, or nil.
	Signals error
}

// A Kernel is the system that the program runs on.
type Kernel struct {
	// System is that of the program, as runtime.GOOS has it.
	System string
	// Release is that of the kernel: 6.18.2.
	Release string
	// Root is set where the caller is root.
	Root bool
	// Namespaces are the links of the caller's namespaces that are not the initial ones:
	// pid:[4026532001]. Kinds that do not matter are left out.
	Namespaces []string
}

// Tracking is how processes are followed.
type Tracking struct {
	tracker.Capabilities
	Err error
}

// A Table is what the process table shows.
type Table struct {
	// Processes is how many.
	Processes int
	// Partial is why some are hidden, or nil.
	Partial error
	Err     error
}

// Marks are about the environments of other processes of this user.
type Marks struct {
	// Asked is how many processes were asked, and Read how many of them answered.
	Asked, Read int
	Err         error
}

// Unlimited is the limit of a [Quota] that has none.
const Unlimited = math.MaxUint64

// A Quota is a limit with what is in use of it.
type Quota struct {
	Limit uint64
	Used  uint64
	// Counted is set where Used is known.
	Counted bool
	// Where names what sets the limit, where that is not always the same.
	Where string
}

// left returns how much is not in use, as far as is known.
func (q Quota) left() uint64 {
	if q.Used >= q.Limit {
		return 0
	}
	return q.Limit - q.Used
}

// Limits are those of the system and of the caller. What cannot be found out is nil, or
// [Unlimited]. A limit of 0 descriptors is not known.
type Limits struct {
	// Processes are those of this user, on Linux with their threads. Nil for root on Linux,
	// who has no such limit.
	Processes *Quota
	// Cgroup is the tightest limit of processes and threads of the caller's cgroups.
	Cgroup *Quota
	// Files is the hard limit of descriptors, to which a monitor raises the soft one.
	Files uint64
	// Processor is the hard limit of processor time, 0 for none.
	Processor time.Duration
	// FileSize is the hard limit of the size of a file, in bytes.
	FileSize uint64
	// Inotify is how many inotify instances this user can have.
	Inotify *Quota
	// Releases is why no inotify instance can be made now, or nil.
	Releases error
}

// A Store is the directory of the runtimes.
type Store struct {
	// Dir is empty where not even that is known.
	Dir string
	// There is set where it exists.
	There bool
	// Unwritable is why nothing can be made in it, or in the directory that it would be made
	// in, or nil.
	Unwritable error
	FileSystem FileSystem
	// Unswept is how many directories the next monitor deletes.
	Unswept int
	Err     error
}

// A FileSystem is the one that has the store, or that would have it.
type FileSystem struct {
	// Kind is its type: ext4, apfs, nfs4.
	Kind string
	// Point is where it is mounted.
	Point string
	// Remote is set where it is known to be another machine's, or a program's.
	Remote bool
	// Bytes and Files are how much the user can still write, and how many files there can
	// be. Unlimited is not known.
	Bytes, Files uint64
}

// Runtimes are those of the store.
type Runtimes struct {
	All []monitor.Status
	// Log is the longest log of a runtime, and Size its size in bytes.
	Log  string
	Size int64
	Err  error
}

// A Resident is the resident monitor of the store.
type Resident struct {
	// Unwanted is set where the runtimes that are made here get monitors of their own.
	Unwanted bool
	// Status and Tally are its answers. They are nil where none answers, and Err is why.
	Status *resident.Status
	Tally  *resident.Tally
	Err    error
	// None is set where none serves, as far as can be seen.
	None bool
	// PID is that of the process that serves and does not answer, 0 where none is known, and
	// Stopped is set where a signal has stopped it.
	PID     int
	Stopped bool
	// Age says whether it is of an older or a newer version than this program.
	Age Age
	// Elsewhere is why its processes cannot be seen from here, or nil.
	Elsewhere error
	// Files are its descriptors; nil where they cannot be counted.
	Files *Quota
	// Cgroup is that of the resident where it is another one than that of the caller.
	Cgroup string
	// GaveUp is why its guard has given up, or empty.
	GaveUp string
	// Since is how long it has served.
	Since time.Duration
	// Member is the runtime of another store that it is a member of, or empty.
	Member string
}

// An Age is how the version of a resident compares with that of this program.
type Age int

// The ages of a resident. Builds without a version have the same as any other.
const (
	SameAge Age = iota
	Older
	Newer
)

// Around is the runtime that the caller is in.
type Around struct {
	// Runtime is its name, empty for none.
	Runtime string
	// Store is the directory of its store, where that is another one.
	Store string
}

// A Session is the log-in session of the caller.
type Session struct {
	// Kills is set where systemd-logind ends all processes of a session with it.
	Kills bool
	// Unit is the scope that it ends.
	Unit string
}

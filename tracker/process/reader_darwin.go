package process

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The numbers of sysctl kern.proc (sys/sysctl.h). The name kern.proc.pid.N
// does not resolve in XNU, so the numeric form is the only one.
const (
	ctlKern     = 1
	kernProc    = 14
	kernProcAll = 0
	kernProcPID = 1

	// slack is the room for processes made between sizing and reading, in
	// rows. XNU itself adds five.
	slack = 64
	// maxGrowth is how often one read doubles its buffer.
	maxGrowth = 8
)

// The layout that kinfo.go has is the one that golang.org/x/sys/unix has. An index other
// than 0 does not compile.
var (
	_ = [1]int{}[kinfoSize-unix.SizeofKinfoProc]
	_ = [1]int{}[kinfoSeconds-unsafe.Offsetof(kinfo.Proc.P_starttime.Sec)]
	_ = [1]int{}[kinfoMicroseconds-unsafe.Offsetof(kinfo.Proc.P_starttime.Usec)]
	_ = [1]int{}[kinfoFlag-unsafe.Offsetof(kinfo.Proc.P_flag)]
	_ = [1]int{}[kinfoStat-unsafe.Offsetof(kinfo.Proc.P_stat)]
	_ = [1]int{}[kinfoPID-unsafe.Offsetof(kinfo.Proc.P_pid)]
	_ = [1]int{}[kinfoOldParent-unsafe.Offsetof(kinfo.Proc.P_oppid)]
	_ = [1]int{}[kinfoComm-unsafe.Offsetof(kinfo.Proc.P_comm)]
	_ = [1]int{}[kinfoCommSize-unsafe.Sizeof(kinfo.Proc.P_comm)]
	_ = [1]int{}[kinfoUID-eprocAt-unsafe.Offsetof(kinfo.Eproc.Ucred)-unsafe.Offsetof(kinfo.Eproc.Ucred.Uid)]
	_ = [1]int{}[kinfoParent-eprocAt-unsafe.Offsetof(kinfo.Eproc.Ppid)]
	_ = [1]int{}[kinfoGroup-eprocAt-unsafe.Offsetof(kinfo.Eproc.Pgid)]
)

// kinfo is nothing but its type: Offsetof takes a field of a value.
var kinfo unix.KinfoProc

const eprocAt = unsafe.Offsetof(kinfo.Eproc)

// A Reader reads the process table again and again, into a buffer that it keeps.
// One goroutine uses it at a time.
type Reader struct {
	boot   string
	buffer []byte
	words  []byte // for Settings and Arguments
}

// OpenReader returns a reader of the process table. Close it after use.
func OpenReader() (*Reader, error) {
	boot, err := Boot()
	return &Reader{boot: boot}, err
}

// Close does nothing: the reader holds no descriptor.
func (r *Reader) Close() {}

// Read appends one row for each process to rows, zombies included. It is no
// snapshot: see [Table].
func (r *Reader) Read(rows []Row) ([]Row, error) {
	size, err := r.fill()
	// The table outgrew the buffer. XNU does not report by how much: it returns
	// size 0 (docs/xnu.md X21). So the buffer doubles, up to a limit.
	for try := 0; err == unix.ENOMEM && try < maxGrowth; try++ {
		r.buffer = make([]byte, 2*len(r.buffer))
		size, err = r.fill()
	}
	if err != nil {
		return rows, fmt.Errorf("read process table: %w", err)
	}
	return r.decode(rows, r.buffer[:size]), nil
}

func (r *Reader) fill() (int, error) {
	if len(r.buffer) == 0 {
		size, err := sysctl([]int32{ctlKern, kernProc, kernProcAll}, nil)
		if err != nil {
			return 0, err
		}
		r.buffer = make([]byte, size+slack*kinfoSize)
	}
	return sysctl([]int32{ctlKern, kernProc, kernProcAll}, r.buffer)
}

func (r *Reader) decode(rows []Row, records []byte) []Row {
	for ; len(records) >= kinfoSize; records = records[kinfoSize:] {
		if p, ok := parseKinfo(records); ok {
			rows = append(rows, r.complete(p))
		}
	}
	return rows
}

// Lookup returns the row of one process. The error is [ErrGone] when there is no
// such process.
func (r *Reader) Lookup(pid int) (Row, error) {
	if pid <= 0 {
		return Row{}, ErrGone
	}
	var record [kinfoSize]byte
	size, err := sysctl([]int32{ctlKern, kernProc, kernProcPID, int32(pid)}, record[:])
	if err != nil {
		return Row{}, err
	}
	// A PID that is not in use is no error to XNU: success and no record.
	if size < kinfoSize {
		return Row{}, ErrGone
	}
	p, ok := parseKinfo(record[:])
	if !ok {
		return Row{}, errors.New("unexpected record of kern.proc.pid")
	}
	return r.complete(p), nil
}

// complete adds what a record does not have: the boot and the session. The session id
// in the record (e_sess) is always 0, and getsid refuses the dead.
func (r *Reader) complete(p Row) Row {
	p.Boot = r.boot
	if sid, err := unix.Getsid(p.PID); err == nil {
		p.Session = sid
	}
	return p
}

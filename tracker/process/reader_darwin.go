package process

import (
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

	kinfoSize = unix.SizeofKinfoProc

	// slack is the room for processes made between sizing and reading, in
	// rows. XNU itself adds five.
	slack = 64
	// maxGrowth is how often one read doubles its buffer.
	maxGrowth = 8
)

// Bits of p_flag and values of p_stat (sys/proc.h).
const (
	flagTraced  = 0x800  // P_TRACED
	flagExiting = 0x2000 // P_WEXIT
	statStopped = 4      // SSTOP
	statZombie  = 5      // SZOMB
)

// A Reader reads the process table again and again, into a buffer that it keeps.
// One goroutine uses it at a time.
type Reader struct {
	boot   string
	buffer []byte
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
		p := rowOf((*unix.KinfoProc)(unsafe.Pointer(&records[0])), r.boot)
		if p.PID > 0 { // PID 0 is the kernel's own task
			rows = append(rows, p)
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
	var record unix.KinfoProc
	buffer := unsafe.Slice((*byte)(unsafe.Pointer(&record)), kinfoSize)
	size, err := sysctl([]int32{ctlKern, kernProc, kernProcPID, int32(pid)}, buffer)
	if err != nil {
		return Row{}, err
	}
	// A PID that is not in use is no error to XNU: success and no record.
	if size < kinfoSize {
		return Row{}, ErrGone
	}
	return rowOf(&record, r.boot), nil
}

func rowOf(record *unix.KinfoProc, boot string) Row {
	proc, eproc := &record.Proc, &record.Eproc
	p := Row{Process: Process{
		Identity: Identity{
			PID:   int(proc.P_pid),
			Start: StartTime(proc.P_starttime.Sec*1e6 + int64(proc.P_starttime.Usec)),
			Boot:  boot,
		},
		Parent:  int(eproc.Ppid),
		Group:   int(eproc.Pgid),
		User:    int(eproc.Ucred.Uid),
		State:   stateOf(proc),
		Command: nameOf(proc.P_comm[:]),
	}}
	// While a debugger traces it, the debugger is the parent and the real one
	// is kept aside (mach_process.c, PT_ATTACH).
	if proc.P_oppid != 0 {
		p.Tracer, p.Parent = p.Parent, int(proc.P_oppid)
	}
	// The row has no session id (e_sess is always 0); getsid refuses the dead.
	if sid, err := unix.Getsid(p.PID); err == nil {
		p.Session = sid
	}
	return p
}

func stateOf(proc *unix.ExternProc) State {
	switch {
	case proc.P_stat == statZombie:
		return Zombie
	case proc.P_flag&flagExiting != 0:
		return Exiting
	case proc.P_stat == statStopped:
		return Stopped
	}
	return Running
}

package tracker

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

// A table reads kern.proc.all into a buffer that it keeps.
type table struct {
	boot   string
	buffer []byte
}

func newTable() (*table, error) {
	boot, err := Boot()
	return &table{boot: boot}, err
}

func (t *table) close() {}

// read appends one row for each process to rows.
func (t *table) read(rows []Process) ([]Process, error) {
	size, err := t.fill()
	// The table outgrew the buffer. XNU then does not say by how much (it
	// reports size 0), so double it, and give up before that gets absurd.
	for try := 0; err == unix.ENOMEM && try < maxGrowth; try++ {
		t.buffer = make([]byte, 2*len(t.buffer))
		size, err = t.fill()
	}
	if err != nil {
		return rows, fmt.Errorf("read process table: %w", err)
	}
	return t.decode(rows, t.buffer[:size]), nil
}

func (t *table) fill() (int, error) {
	if len(t.buffer) == 0 {
		size, err := sysctl([]int32{ctlKern, kernProc, kernProcAll}, nil)
		if err != nil {
			return 0, err
		}
		t.buffer = make([]byte, size+slack*kinfoSize)
	}
	return sysctl([]int32{ctlKern, kernProc, kernProcAll}, t.buffer)
}

func (t *table) decode(rows []Process, records []byte) []Process {
	for ; len(records) >= kinfoSize; records = records[kinfoSize:] {
		p := processOf((*unix.KinfoProc)(unsafe.Pointer(&records[0])), t.boot)
		if p.PID > 0 { // PID 0 is the kernel's own task
			rows = append(rows, p)
		}
	}
	return rows
}

// lookup reads the row of one PID.
func (t *table) lookup(pid int) (Process, error) {
	if pid <= 0 {
		return Process{}, ErrGone
	}
	var record unix.KinfoProc
	buffer := unsafe.Slice((*byte)(unsafe.Pointer(&record)), kinfoSize)
	size, err := sysctl([]int32{ctlKern, kernProc, kernProcPID, int32(pid)}, buffer)
	if err != nil {
		return Process{}, err
	}
	// A PID that is not in use is no error to XNU: success and no record.
	if size < kinfoSize {
		return Process{}, ErrGone
	}
	return processOf(&record, t.boot), nil
}

func processOf(record *unix.KinfoProc, boot string) Process {
	proc, eproc := &record.Proc, &record.Eproc
	p := Process{
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
	}
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

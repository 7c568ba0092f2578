package process

import "encoding/binary"

// struct kinfo_proc of a 64-bit XNU (bsd/sys/sysctl.h, bsd/sys/proc.h): its size and
// where its fields begin, in bytes. Both architectures have the same layout and are
// little-endian. reader_darwin.go compares the numbers with golang.org/x/sys/unix when
// it is compiled. This file has no system calls, so that every system can test it.
const (
	kinfoSize = 648

	kinfoSeconds      = 0   // p_starttime.tv_sec, int64
	kinfoMicroseconds = 8   // p_starttime.tv_usec, int32
	kinfoFlag         = 32  // p_flag, int32
	kinfoStat         = 36  // p_stat, int8
	kinfoPID          = 40  // p_pid, int32
	kinfoOldParent    = 44  // p_oppid, int32
	kinfoComm         = 243 // p_comm, 17 bytes
	kinfoUID          = 420 // e_ucred.cr_uid, uint32
	kinfoParent       = 560 // e_ppid, int32
	kinfoGroup        = 564 // e_pgid, int32

	kinfoCommSize = 17
)

// Bits of p_flag and values of p_stat (bsd/sys/proc.h).
const (
	flagExiting = 0x2000 // P_WEXIT
	statStopped = 4      // SSTOP
	statZombie  = 5      // SZOMB
)

// parseKinfo reads the struct kinfo_proc at the beginning of record. It reports false if the
// record is cut, or if its PID is not positive: PID 0 is the kernel's own task. The row
// has no session and no boot.
func parseKinfo(record []byte) (Row, bool) {
	if len(record) < kinfoSize {
		return Row{}, false
	}
	number := func(at int) int { return int(int32(binary.LittleEndian.Uint32(record[at:]))) }
	p := Row{Process: Process{
		Identity: Identity{
			PID: number(kinfoPID),
			Start: StartTime(int64(binary.LittleEndian.Uint64(record[kinfoSeconds:]))*1e6 +
				int64(number(kinfoMicroseconds))),
		},
		Parent:  number(kinfoParent),
		Group:   number(kinfoGroup),
		User:    int(binary.LittleEndian.Uint32(record[kinfoUID:])),
		State:   kinfoState(record[kinfoStat], number(kinfoFlag)),
		Command: nameOf(record[kinfoComm : kinfoComm+kinfoCommSize]),
	}}
	// While a debugger traces it, the debugger is the parent and the real one
	// is kept aside (mach_process.c, PT_ATTACH).
	if parent := number(kinfoOldParent); parent != 0 {
		p.Tracer, p.Parent = p.Parent, parent
	}
	if p.PID <= 0 {
		return Row{}, false
	}
	return p, true
}

func kinfoState(stat byte, flag int) State {
	switch {
	case stat == statZombie:
		return Zombie
	case flag&flagExiting != 0:
		return Exiting
	case stat == statStopped:
		return Stopped
	}
	return Running
}

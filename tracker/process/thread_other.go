//go:build !linux

package process

// OfThread returns the PID of the process that a thread belongs to, where threads are
// numbered like processes. Here they are not: the id is a PID, or [ErrGone] is returned.
func OfThread(tid int) (pid int, err error) {
	p, err := Lookup(tid)
	return p.PID, err
}

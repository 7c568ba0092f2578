//go:build darwin || linux

package standin

// A pairing brings together the two ways in which ^Z shows where the sender of a signal is not
// told: this process gets SIGTSTP, and its child is reported as stopped by it. Either may come
// first, and the first may come when this process has been continued in the background: then it
// looks like a signal of another process.
type pairing struct {
	early bool // the signal has come, and the report has not
	owed  bool // the report has come, and the signal has not
}

// heard takes the signal, and reports whether it is one of the terminal.
func (p *pairing) heard(foreground bool) bool {
	switch {
	case p.owed:
		p.owed = false
		return true
	case foreground:
		p.early = true
		return true
	}
	return false
}

// stopped takes the report that the child was stopped by the signal.
func (p *pairing) stopped() {
	p.owed, p.early = !p.early, false
}

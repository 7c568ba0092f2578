//go:build darwin || linux

package standin

// A pairing brings together the two ways in which ^Z shows where the sender of a signal is not
// told: this process gets SIGTSTP, and its child is reported as stopped by it. Either may come
// first, and the first may come when this process has been continued in the background: then it
// looks like a signal of another process.
type pairing struct {
	early bool // the signal has come, and the report has not
	owed  int  // how many reports have come, and their signals have not
}

// mostOwed bounds owed. The kernel drops a signal that is pending when the process is continued,
// so one may never come.
const mostOwed = 3

// heard takes the signal, and reports whether it is one of the terminal.
func (p *pairing) heard(foreground bool) bool {
	switch {
	case p.owed > 0:
		p.owed--
		return true
	case foreground:
		p.early = true
		return true
	}
	return false
}

// stopped takes the report that the child was stopped by the signal.
func (p *pairing) stopped() {
	if !p.early {
		p.owed = min(p.owed+1, mostOwed)
	}
	p.early = false
}

package conformance

import "github.com/gemini-monitor/gemini/internal/core"

// A World is a kernel with processes that do what a spec orders. An order has been
// carried out when its method returns; one that cannot be carried out fails the spec.
type World interface {
	// Open returns the kernel as a tracker sees it. The spec closes it.
	Open() core.Kernel
	// Spawn has the parent fork a child and returns the child's PID. The
	// parent 0 is the world itself, which belongs to no tree.
	Spawn(parent int) int
	// Exit ends a process. It returns when the descriptors of the process are
	// closed; its children may go to init and its exit be announced later.
	Exit(pid int)
	// Reap has the parent wait for the end of a child of its own.
	Reap(parent, child int)
	Setsid(pid int)
	Setpgid(pid int) // to a new group of its own
	Exec(pid int)
	// Mark is in the environment of each process that the world itself has made.
	Mark() string
	// Meanwhile does something of the above while the spec goes on, and
	// returns a function that waits for it. A world without time of its own
	// may do it at once.
	Meanwhile(func()) (wait func())
	// Reuse makes a new process, no relative, that has a certain PID, and
	// returns what ends and reaps it: nil where the kernel keeps that PID free.
	// The error is why the kernel cannot be asked.
	Reuse(pid int) (exit func(), err error)
}

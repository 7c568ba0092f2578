package trees

import "github.com/gemini-monitor/gemini/tracker/process"

// A History is what was established about a tree before it is followed, perhaps by another
// process.
type History struct {
	// Members are processes known to belong to the tree. Those that are dead still serve
	// as links.
	Members []process.Identity
	// Released are processes that were released from the tree, and what joined these.
	Released []process.Identity
	// Strangers are processes known not to belong to it, although a link leads to them,
	// as Tree.Strangers returned them.
	Strangers []process.Identity
	// Fresh means that the root has made no member yet: a program that waits until it
	// is followed, for instance. All other processes of that moment are strangers: the
	// children that the root has, and those in a group or session that it has created.
	Fresh bool
	// Marks are what the environment of the processes of the tree has in the variable of
	// the marks: those of the trees around it, the outermost first, and as the last its
	// own. A tree without one is followed all the same.
	Marks []string
}

package explore

import (
	"github.com/gemini-monitor/gemini/internal/simkernel"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// The words of the programs below.
type program = []simkernel.Op

var (
	fork        = simkernel.Fork
	forkExiting = simkernel.ForkExiting
	attach      = simkernel.Attach
	stay        = simkernel.Stay
	exit        = simkernel.Do(simkernel.OpExit)
	wait        = simkernel.Do(simkernel.OpWait)
	setsid      = simkernel.Do(simkernel.OpSetsid)
	setpgid     = simkernel.Do(simkernel.OpSetpgid)
	exec        = simkernel.Do(simkernel.OpExec)
	letGo       = simkernel.Do(simkernel.OpClose)
	daemonize   = simkernel.Do(simkernel.OpDaemon)
	reapAll     = simkernel.Do(simkernel.OpReap)
	spawnBadly  = simkernel.Do(simkernel.OpSpawnBad)
	joinGroup   = simkernel.Do(simkernel.OpJoinGroup)
	setuid      = simkernel.Do(simkernel.OpSetuid)
	detach      = simkernel.Do(simkernel.OpDetach)
	replace     = simkernel.Do(simkernel.OpReplace)
	forge       = simkernel.Do(simkernel.OpForge)
	scrub       = simkernel.Do(simkernel.OpScrub)
	overwrite   = simkernel.Do(simkernel.OpOverwrite)
	withhold    = simkernel.Do(simkernel.OpWithhold)
	reveal      = simkernel.Do(simkernel.OpReveal)
	ask         = simkernel.Do(simkernel.OpAsk)
	followed    = simkernel.Do(simkernel.OpFollowed)
)

var named, allButUnseen = []process.Forks{process.ForksNamed}, []process.Forks{process.ForksAnnounced, process.ForksNamed}

// smallCases is how many cases at the beginning of the catalogue take no time.
const smallCases = 2

// Cases that the wrong ways to ask for a mark fail.
var (
	betweenPrograms = Case{Name: "a daemon execs, and is asked for its mark between the two programs", Marked: true, Night: named,
		Root: program{fork("B", daemonize, replace, stay)}}
	forgedByStranger = Case{Name: "an orphan of a stranger's forges a mark", Marked: true,
		Root: nil, Strangers: []program{{fork("Y", forge, stay)}}}
)

// Catalogue has programs for the races that docs/xnu.md names (R1 to R21), small
// enough that every order of their steps can be visited. R7, R10, R11, R15, R18 and R19
// have no program of their own.
var Catalogue = []Case{
	{Name: "the root exits", Root: nil},
	{Name: "the root exits and no process waits for it", Root: nil, Careless: true},
	{Name: "a child outlives a root that no process waits for", Careless: true,
		Root: program{fork("B", letGo, stay)}},
	{Name: "a child outlives the root", Root: program{fork("B")}},
	{Name: "a child is waited for", Root: program{fork("B"), wait}},
	{Name: "a child lives on", Root: program{fork("B", stay)}},
	{Name: "a grandchild is made between a read and a watch (R3, R4)", Long: true, Night: named,
		Root: program{fork("B", fork("C")), wait}},
	{Name: "a double fork whose middle may die unseen (R1, R2)",
		Root: program{fork("B", fork("C", stay)), wait}},
	// The tracker sees no lease: this is the daemon below to it, and fewer states are lost.
	{Name: "the same, and the survivor makes a session (R1)", Covered: true,
		Root: program{fork("B", fork("C", setsid, stay))}},
	{Name: "the same, and the survivor only closes the lease (R1)", Long: true,
		Root: program{fork("B", fork("C", letGo, stay))}},
	{Name: "a daemon: double fork, own session, lease closed (R1): the hole", Long: true, Hole: true, Night: named,
		Root: program{fork("B", fork("C", daemonize, stay))}},
	{Name: "a daemon whose environment has the mark (R1)", Marked: true, Long: true, Night: named,
		Root: program{fork("B", fork("C", daemonize, stay))}},
	{Name: "a daemon execs without an environment (R1): the hole", Marked: true, Hole: true, Night: allButUnseen,
		Root: program{fork("B", fork("C", daemonize, scrub, stay))}},
	{Name: "a daemon overwrites its environment (R1): the hole", Marked: true, Hole: true, Night: allButUnseen,
		Root: program{fork("B", fork("C", daemonize, overwrite, stay))}},
	{Name: "a daemon hides its environment for a time (R1): the hole", Marked: true, Hole: true, Night: allButUnseen,
		Root: program{fork("B", fork("C", daemonize, withhold, reveal, stay))}},
	{Name: "a daemon of another user's, whose environment has the mark (R1): the hole", Marked: true, Hole: true, Night: allButUnseen,
		Root: program{fork("B", fork("C", daemonize, setuid, stay))}},
	{Name: "the tracker comes when a daemon has begun whose environment has the mark (R21)", Marked: true, Late: true,
		Root: program{fork("B", daemonize, stay)}},
	betweenPrograms,
	{Name: "a daemon of a member's forges a mark: the hole", Marked: true, Hole: true, Night: allButUnseen,
		Root: program{fork("B", daemonize, forge, stay)}},
	forgedByStranger,
	{Name: "a stranger has copied the mark", Marked: true, Copied: true,
		Root: nil, Strangers: []program{{fork("Y", stay), stay}}},
	{Name: "an orphan of a stranger's has copied the mark", Marked: true, Copied: true, Mistaken: true,
		Root: nil, Strangers: []program{{fork("Y", stay)}}},
	{Name: "two forks are one notice (R5)",
		Root: program{fork("B"), fork("C", stay)}},
	{Name: "a fork in one thread and an exit in another (R6)",
		Root: program{fork("B", forkExiting("C", stay))}},
	{Name: "the root forks while it exits (R6)",
		Root: program{forkExiting("B", stay)}},
	{Name: "the PID of a dead child is used again by a stranger (R8, R9)", MaxPID: 5,
		Root:      program{fork("B"), wait},
		Strangers: []program{{fork("Y", stay), stay}}},
	{Name: "the PID of the root is used again by a stranger (R8, R9)", MaxPID: 4,
		Root:      nil,
		Strangers: []program{{fork("Y", stay), stay}}},
	{Name: "the PID of a group's creator stays with the group (R8)", MaxPID: 6,
		Root:      program{fork("B", setpgid, fork("C", stay)), stay},
		Strangers: []program{{fork("Y", stay), stay}}},
	{Name: "a hidden child outlives the root", Hides: true,
		Root: program{fork("B", letGo, setuid, stay)}},
	{Name: "a hidden child ends before the root", Hides: true,
		Root: program{fork("B", setuid), wait}},
	{Name: "a hidden child has a hidden child", Hides: true,
		Root: program{fork("B", setuid, fork("C", daemonize, stay))}},
	{Name: "a hidden child outlives the root, and init is not hidden", Hides: true, ShowsInit: true,
		Root: program{fork("B", letGo, setuid, stay)}},
	{Name: "a hidden child ends before the root, and init is not hidden", Hides: true, ShowsInit: true,
		Root: program{fork("B", setuid), wait}},
	{Name: "a hidden child has a hidden child, and init is not hidden", Hides: true, ShowsInit: true,
		Root: program{fork("B", letGo, setuid, fork("C", stay))}},
	{Name: "a hidden daemon, and init is not hidden", Hides: true, ShowsInit: true, Night: named,
		Root: program{fork("B", setuid, fork("C", daemonize, stay))}},
	{Name: "a spawn fails (R14)", Root: program{spawnBadly, fork("B")}},
	{Name: "a stranger comes into the root's group (R16)", Leaderless: false,
		Root:      program{fork("B")},
		Strangers: []program{{joinGroup, stay}}},
	{Name: "a child leaves for a group of its own (R16)",
		Root: program{fork("B", setpgid, stay), wait}},
	{Name: "an exec between two forks (R17)",
		Root: program{fork("B", exec, fork("C", stay))}},
	{Name: "children are given to init one by one (R20)",
		Root: program{fork("B", stay), fork("C", stay)}},
	{Name: "the tracker comes when all has begun (R21)", Late: true, Hole: true, ByLineage: true,
		Root: program{fork("B", daemonize, stay)}},
	{Name: "the tracker comes while a root that leads no group makes a child (R21)", Named: true, Late: true, Leaderless: true,
		Root: program{letGo, fork("B", stay), followed}},
	{Name: "the tracker comes while a root that leads no group makes a child that makes another one (R21)", Named: true, Late: true, Leaderless: true,
		Root: program{letGo, fork("B", fork("C", stay), followed), followed}},
	{Name: "a tracker takes over while a root that leads no group makes a child (R21)", Named: true, Late: true, Recalled: true, Leaderless: true,
		Root: program{letGo, fork("B", stay), followed}},
	{Name: "a tracker takes over while a root that leads no group makes a child that makes another one (R21)", Named: true, Late: true, Recalled: true, Leaderless: true,
		Root: program{letGo, fork("B", fork("C", stay), followed), followed}},
	{Name: "the kernel reaps the children itself",
		Root: program{reapAll, fork("B", stay)}},
	{Name: "a session of a member's own, and its leader dies: the hole", Hole: true,
		Root: program{fork("B", setsid, fork("C", letGo, stay)), wait}},
	{Name: "a root in a group of another process", Leaderless: true,
		Root: program{fork("B", fork("C", stay))}},
	{Name: "a root in a group of another process, beside a stranger that is orphaned", Leaderless: true,
		Root: program{fork("B")}, Strays: true, Strangers: []program{{stay}}},
	{Name: "a pipeline in the root's group, and the shell exits", Fresh: true, Fellows: true, Shell: program{exit},
		Strangers: []program{{stay}}, Root: nil},
	{Name: "the same, and an orphan of the root's is in that group too", Fresh: true, Fellows: true, Shell: program{exit},
		Strangers: []program{{stay}}, Root: program{letGo, fork("B", stay)}},
	{Name: "a fellow of the root's in a pipeline makes a child and exits", Fresh: true, Fellows: true, Mistaken: true,
		Strangers: []program{{fork("Y", stay)}}, Root: nil},
	{Name: "the shell makes a fellow of the root's later", Fresh: true, Mistaken: true, Shell: program{fork("Y", joinGroup, stay), exit},
		Root: nil},
	{Name: "a child that the root had before it was the root", Fresh: true, Before: []program{{stay}},
		Root: program{letGo, fork("B", stay)}},
	{Name: "a child that the root had before makes another one", Fresh: true, Before: []program{{fork("Y", stay), stay}},
		Root: nil},
	{Name: "a fresh root that leads no group", Named: true, Fresh: true, Leaderless: true,
		Root: program{letGo, fork("B", fork("C", stay))}},
	{Name: "a fresh root that leads no group, beside a stranger that is orphaned", Named: true, Fresh: true, Leaderless: true,
		Strays: true, Strangers: []program{{fork("Y", stay), stay}}, Root: program{letGo, fork("B", setpgid, stay)}},
	{Name: "a fresh root that leads no group has a child from before", Named: true, Fresh: true, Leaderless: true, Before: []program{{stay}},
		Root: program{letGo, fork("B", stay)}},
	{Name: "the PID of a fresh root that leads no group is used again", Named: true, Fresh: true, Leaderless: true, MaxPID: 5,
		Strangers: []program{{fork("Y", stay), stay}}, Root: nil},
	{Name: "a daemon of a fresh root that leads no group", Named: true, Fresh: true, Leaderless: true,
		Root: program{fork("B", daemonize, stay)}},
	{Name: "an event is dropped without a word, and the root is fresh and leads no group: the hole", Drops: 1, Hole: true, Fresh: true, Leaderless: true,
		Root: program{letGo, fork("B", stay)}},
	{Name: "a debugger attaches to a child, which dies (R12)", Long: true, Traced: true,
		Root:      program{fork("B", fork("C", stay)), wait},
		Strangers: []program{{attach("B"), wait, stay}}},
	{Name: "a debugger detaches from a child, whose parent may be dead (R13)", Long: true, Traced: true,
		Root:      program{fork("B")},
		Strangers: []program{{attach("B"), detach, stay}}},
	{Name: "a debugger dies and takes a child along (R13)", Long: true, Traced: true,
		Root:      program{fork("B", stay)},
		Strangers: []program{{attach("B")}}},
	{Name: "the real parent of a traced process is dead and its PID used again (R12)", Traced: true, MaxPID: 6,
		Root:      program{fork("B"), wait, stay},
		Strangers: []program{{fork("Y", fork("Z", stay))}, {attach("Z"), stay}}},
	{Name: "events are lost", Overflow: 1, Root: program{fork("B", fork("C", stay))}},
	{Name: "events are lost, about a daemon: the hole", Overflow: 2, Hole: true,
		Root: program{fork("B", fork("C", daemonize, stay))}},
	{Name: "a daemon, and the root dies before the first read (R2): the hole", Hole: true, ByLineage: true,
		Root: program{fork("B", daemonize, stay)}},
	{Name: "the same, and the daemon execs when it is an orphan (R2): the hole", Hole: true,
		Root: program{fork("B", daemonize, exec, stay)}},
	{Name: "an event is dropped without a word", Drops: 1, Root: program{letGo, fork("B", fork("C", stay))}},
	{Name: "an event is dropped without a word, and all exit", Drops: 1, Root: program{letGo, fork("B"), wait}},
	{Name: "two events are dropped without a word", Drops: 2, Root: program{fork("B", letGo, stay)}},
	{Name: "two events are dropped without a word, and all exit", Drops: 2, Root: program{letGo, fork("B")}},
	{Name: "an event is dropped without a word, and a look of safety comes at any time", Drops: 1, Looks: 1,
		Root: program{letGo, fork("B", setpgid)}},
	{Name: "an event is dropped without a word, about a daemon: the hole", Drops: 1, Hole: true,
		Root: program{fork("B", daemonize, stay)}},
	{Name: "two watches are refused", Refusals: 2, Root: program{fork("B", fork("C"))}},
	{Name: "two reads fail", Faults: 2, Root: program{fork("B")}},
}

// Guests has programs in which a process from outside asks to join the tree. The tracker lives
// to the end: what the next one knows of a guest is in a journal, for which the answer waits.
// The exploration of the life of a runtime has that.
var Guests = []Case{
	{Name: "a process from outside joins while the root exits", Root: nil,
		Strangers: []program{{ask, letGo, stay}}},
	{Name: "the same, and makes a child and exits", Root: nil,
		Strangers: []program{{ask, fork("Y", letGo, stay)}}},
	{Name: "a process from outside joins and exits while the root exits", Root: nil,
		Strangers: []program{{ask}}},
	{Name: "a process from outside joins that has a child from before", Root: nil,
		Strangers: []program{{fork("Y", stay), ask, letGo}}},
}

package checkup_test

import (
	"errors"
	"io/fs"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/checkup"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// good is a Linux machine on which all promises hold.
func good() checkup.Facts {
	return checkup.Facts{
		Program:  checkup.Program{Version: "v0.1.0", Build: "go1.26.5 linux/amd64"},
		Kernel:   checkup.Kernel{System: "linux", Release: "6.18.2"},
		Tracking: checkup.Tracking{Capabilities: tracker.Capabilities{Mechanism: tracker.ProcConnector, Forks: process.ForksNamed, Misses: "little"}},
		Table:    checkup.Table{Processes: 90},
		Marks:    checkup.Marks{Asked: 9, Read: 8},
		Limits: checkup.Limits{
			Processes: &checkup.Quota{Limit: 60000, Used: 500, Counted: true}, Cgroup: &checkup.Quota{Limit: 9000, Used: 5, Counted: true, Where: "/cg/pids.max"},
			Files: 1 << 20, FileSize: checkup.Unlimited, Inotify: &checkup.Quota{Limit: 128, Used: 3, Counted: true},
		},
		Store: checkup.Store{
			Dir: "/home/me/store", There: true,
			FileSystem: checkup.FileSystem{Kind: "ext4", Point: "/home", Bytes: 1 << 40, Files: 1 << 20},
		},
		Resident: checkup.Resident{None: true},
	}
}

// serving is the part of a resident that serves.
func serving() checkup.Resident {
	return checkup.Resident{
		Status: &resident.Status{Process: process.Identity{PID: 77}, Version: "v0.1.0", Guard: 78, Runtimes: 2},
		Tally:  &resident.Tally{Mechanism: tracker.ProcConnector}, Since: time.Minute,
		Files: &checkup.Quota{Limit: 1 << 20, Used: 30, Counted: true},
	}
}

// pidfd has the machine use pidfds.
func pidfd(f *checkup.Facts) {
	f.Tracking.Capabilities = tracker.Capabilities{Mechanism: tracker.Pidfd, Misses: "much", Refused: "proc connector: not here"}
}

// status is a runtime in a state.
func status(name string, state monitor.State, reason string) monitor.Status {
	return monitor.Status{Record: monitor.Record{Name: name, State: state, Reason: reason}}
}

var _ = Describe("Where all promises hold", func() {
	It("all findings are ok, each with a subject and what is so", func() {
		findings := checkup.Judge(good())
		Expect(len(findings)).To(BeNumerically(">=", 10))
		for _, c := range findings {
			Expect(c.Word).To(Equal(checkup.OK), "%+v", c)
			Expect(c.Subject).NotTo(BeEmpty())
			Expect(c.Is).NotTo(BeEmpty(), c.Subject)
			Expect(c.Change).To(BeEmpty(), c.Subject)
		}
	})

	It("so they are on a Mac", func() {
		f := good()
		f.Kernel = checkup.Kernel{System: "darwin", Release: "15.6"}
		f.Tracking.Capabilities = tracker.Capabilities{Mechanism: tracker.Kqueue, Forks: process.ForksAnnounced, Lineage: true}
		f.Marks = checkup.Marks{Asked: 9} // platform programs
		f.Limits.Cgroup, f.Limits.Inotify = nil, nil
		for _, c := range checkup.Judge(f) {
			Expect(c.Word).To(Equal(checkup.OK), "%+v", c)
		}
	})
})

// A finding has a word and a subject, and texts that match expressions; an empty one is not
// looked at.
func finding(word checkup.Word, subject, is, follows, change string) OmegaMatcher {
	return And(HaveField("Word", word), HaveField("Subject", subject),
		HaveField("Is", MatchRegexp(is)), HaveField("Follows", MatchRegexp(follows)), HaveField("Change", MatchRegexp(change)))
}

// judged checks that a change of the good facts leads to one finding that is not ok.
func judged(edit func(*checkup.Facts), word checkup.Word, subject, is, follows, change string) {
	GinkgoHelper()
	f := good()
	edit(&f)
	var found []checkup.Finding
	for _, c := range checkup.Judge(f) {
		if c.Word != checkup.OK {
			found = append(found, c)
		}
	}
	Expect(found).To(ConsistOf(finding(word, subject, is, follows, change)))
}

type facts = checkup.Facts

var _ = Describe("What is judged of the tracking", func() {
	DescribeTable("is", judged,
		Entry("weaker with pidfds: the reason and what is lost", pidfd, checkup.Weaker, "tracking", "250 ms .proc connector: not here", "it can lose much", "^run it in the initial network namespace .docker, podman: --network=host.$"),
		Entry("weaker in namespaces, which it names", func(f *facts) {
			pidfd(f)
			f.Kernel.Namespaces = []string{"user:[4026532002]"}
		}, checkup.Weaker, "tracking", "", "", "the initial user and network namespaces .docker, podman: --userns=host --network=host.$"),
		Entry("weaker before Linux 6.6", func(f *facts) {
			pidfd(f)
			f.Kernel.Release = "5.15.0-91-generic"
		}, checkup.Weaker, "tracking", "", "", "^Linux 6.6 or newer, or CAP_NET_ADMIN$"),
		Entry("weaker on macOS without lineage", func(f *facts) {
			f.Tracking.Capabilities = tracker.Capabilities{Mechanism: tracker.Kqueue, Forks: process.ForksAnnounced, Misses: "some"}
		}, checkup.Weaker, "tracking", "kqueue", "it can lose some", ""),
		Entry("a reason to start nothing where nothing can be followed", func(f *facts) {
			f.Tracking = checkup.Tracking{Err: errors.Join(errors.New("one"), errors.New("two"))}
		}, checkup.Refused, "tracking", "one; two", "refuse to start", "a /proc of this PID namespace"),
		Entry("a note where the connector is in use and /proc hides processes", func(f *facts) { f.Table.Partial = fs.ErrPermission },
			checkup.Note, "table", "permission denied", "after lost notices", "hidepid"),
		Entry("a reason to start nothing where the table cannot be read", func(f *facts) { f.Table = checkup.Table{Err: fs.ErrNotExist} },
			checkup.Refused, "table", "file does not exist", "refuse to start", "subset=pid"),
		Entry("a note where the kernel takes long to answer", func(f *facts) { f.Table = checkup.Table{Err: checkup.ErrLate} },
			checkup.Note, "table", "no answer within", "", "busy"),
		Entry("a note where the kernel takes long to show how", func(f *facts) { f.Tracking = checkup.Tracking{Err: checkup.ErrLate} },
			checkup.Note, "tracking", "no answer within", "", "busy"),
		Entry("a note where no environment can be read, and forks are named", func(f *facts) { f.Marks = checkup.Marks{Asked: 3} },
			checkup.Note, "marks", "none of 3", "not found by its mark", ""),
		Entry("a note in a PID namespace", func(f *facts) { f.Kernel.Namespaces = []string{"pid:[4026532001]", "user:[1]"} },
			checkup.Note, "namespaces", `pid:\[4026532001\]$`, "unknown elsewhere", "a store of its own"),
		Entry("a note for a build without symbols", func(f *facts) { f.Program.Signals = errors.New("no symbols") },
			checkup.Note, "program", "without symbols", "ignored or blocked", "-ldflags=-s"),
	)

	It("counts in words", func() {
		f := good()
		Expect(checkup.Judge(f)).To(ContainElement(finding(checkup.OK, "table", "^90 processes, none hidden$", "", "")))
		f.Table.Processes = 1
		Expect(checkup.Judge(f)).To(ContainElement(finding(checkup.OK, "table", "^1 process, none hidden$", "", "")))
	})

	It("has the flags of a container, and an old kernel needs more", func() {
		f := good()
		pidfd(&f)
		f.Kernel.Namespaces, f.Kernel.Release = []string{"pid:[4026532001]", "time:[1]"}, "6.5.0"
		Expect(checkup.Judge(f)).To(ContainElement(finding(checkup.Weaker, "tracking", "", "",
			"^run it in the initial pid, time and network namespaces .docker, podman: --pid=host --network=host., and Linux 6.6 or newer, or CAP_NET_ADMIN$")))
		f.Kernel.Root = true
		Expect(checkup.Judge(f)).To(ContainElement(finding(checkup.Weaker, "tracking", "", "", "--network=host.$")))
	})

	It("is weaker twice where processes are hidden and forks are not announced", func() {
		f := good()
		pidfd(&f)
		f.Table.Partial = fs.ErrPermission
		Expect(checkup.Failed(checkup.Judge(f), checkup.Weaker)).To(Equal([]string{"tracking", "table"}))
		f.Marks = checkup.Marks{Asked: 3}
		Expect(checkup.Failed(checkup.Judge(f), checkup.Weaker)).To(Equal([]string{"tracking", "table", "marks"}))
	})

	It("proves nothing of the marks where few processes were asked", func() {
		f := good()
		f.Marks = checkup.Marks{Asked: 2}
		Expect(checkup.Judge(f)).To(ContainElement(finding(checkup.OK, "marks", "0 of 2", "", "")))
	})
})

var _ = Describe("What is judged of the limits", func() {
	DescribeTable("is", judged,
		Entry("a note where a user can hardly make processes", func(f *facts) { f.Limits.Processes.Used = 59950 },
			checkup.Note, "processes", "59950 of 60000 processes and threads of this user; 5 of 9000 in the cgroup", "refuse", "^raise ulimit -u$"),
		Entry("a note where more than all are in use", func(f *facts) { f.Limits.Processes.Used = 60001 },
			checkup.Note, "processes", "60001 of 60000", "", ""),
		Entry("a note where a cgroup is nearly full", func(f *facts) { f.Limits.Cgroup.Limit = 20 },
			checkup.Note, "processes", "5 of 20 in the cgroup ./cg/pids.max", "", "^raise the limit of the cgroup"),
		Entry("a note where a monitor has few descriptors", func(f *facts) { f.Limits.Files = 80 },
			checkup.Note, "descriptors", "at most 80, enough for about 10 runtimes", "from time to time", "ulimit -Hn"),
		Entry("a note where there are hardly any", func(f *facts) { f.Limits.Files = 20 },
			checkup.Note, "descriptors", "about 0 runtimes", "", ""),
		Entry("weaker where no inotify instance can be made", func(f *facts) {
			f.Limits.Inotify.Used, f.Limits.Releases = 128, syscall.EMFILE
		}, checkup.Weaker, "inotify", "128 of 128 .*: too many open files", "5 seconds late", "max_user_instances"),
		Entry("a note for a limit of processor time", func(f *facts) { f.Limits.Processor = time.Minute },
			checkup.Note, "processor time", "1m0s", "unmonitored", "monitor serve"),
		Entry("a note for a limit of file sizes", func(f *facts) { f.Limits.FileSize = 4096 },
			checkup.Note, "file size", "4096 bytes", "watching goes on", "monitor serve"),
	)

	It("is the limit alone where what is in use was not counted", func() {
		f := good()
		f.Limits.Processes.Counted, f.Limits.Inotify.Counted, f.Limits.Cgroup = false, false, nil
		Expect(checkup.Judge(f)).To(ContainElements(finding(checkup.OK, "processes", "^at most 60000 processes", "", ""), finding(checkup.OK, "inotify", "^at most 128 instances", "", "")))
	})

	It("is no limit where there is none", func() {
		f := good()
		f.Limits.Processes, f.Limits.Cgroup, f.Limits.Files = nil, &checkup.Quota{Limit: checkup.Unlimited}, checkup.Unlimited
		Expect(checkup.Judge(f)).To(ContainElements(finding(checkup.OK, "processes", "^no limit$", "", ""), finding(checkup.OK, "descriptors", "^no limit$", "", "")))
	})
})

var _ = Describe("What is judged of the store", func() {
	DescribeTable("is", judged,
		Entry("a reason to start nothing where it is not safe", func(f *facts) {
			f.Store, f.Resident = checkup.Store{Err: monitor.ErrUnsafe}, checkup.Resident{}
		}, checkup.Refused, "store", "not safe to use", "refuse to start", "owner and mode"),
		Entry("a reason to start nothing where it cannot be written", func(f *facts) { f.Store.Unwritable = syscall.EROFS },
			checkup.Refused, "store", "^/home/me/store .ext4 at /home. cannot be written: read-only file system", "", "--store"),
		Entry("a reason to start nothing where its file system hangs", func(f *facts) {
			f.Store = checkup.Store{Dir: "/net/store", Err: checkup.ErrLate, FileSystem: checkup.FileSystem{Kind: "nfs4", Point: "/net", Remote: true}}
		}, checkup.Refused, "store", "^/net/store .nfs4 at /net.: no answer within 2 seconds", "", "local disk"),
		Entry("weaker on another machine's file system", func(f *facts) { f.Store.FileSystem.Remote, f.Store.FileSystem.Kind = true, "nfs4" },
			checkup.Weaker, "store", "nfs4 at /home.: no local file system", "flock", "local disk"),
		Entry("a note in a directory that is cleaned", func(f *facts) { f.Store.Dir = "/tmp/x" },
			checkup.Note, "store", "/tmp/x", "old files", "outside of /tmp"),
		Entry("a note where space is scarce", func(f *facts) { f.Store.FileSystem.Bytes = 1 << 20 },
			checkup.Note, "space", "^1024 KiB free, room for 1048576 files", "used up", "delete something at /home"),
		Entry("a note where files are scarce", func(f *facts) { f.Store.FileSystem.Files = 50 },
			checkup.Note, "space", "room for 50 files", "used up", ""),
		Entry("a reason to start nothing where there is no space", func(f *facts) { f.Store.FileSystem.Bytes = 0 },
			checkup.Refused, "space", "^0 bytes free", "watched on", ""),
		Entry("a note where killed monitors left something", func(f *facts) { f.Store.Unswept = 2 },
			checkup.Note, "leftovers", "^2 removed or half made runtimes to be deleted", "", ""),
	)

	It("is that the first run makes it, where it is not there", func() {
		f := good()
		f.Store.There = false
		Expect(checkup.Judge(f)).To(ContainElement(finding(checkup.OK, "store", "the first run makes it", "", "")))
	})

	It("does not take another directory for one that is cleaned", func() {
		f := good()
		f.Store.Dir = "/tmpfiles/store"
		Expect(checkup.Judge(f)).To(ContainElement(finding(checkup.OK, "store", "^/tmpfiles/store", "", "")))
	})
})

var _ = Describe("What is judged of runtimes", func() {
	with := func(all ...monitor.Status) func(*facts) {
		return func(f *facts) { f.Runtimes.All = all }
	}
	DescribeTable("is", judged,
		Entry("weaker without a monitor", with(status("a", monitor.StateUnmonitored, ""), status("b", monitor.StateUnmonitored, "")),
			checkup.Weaker, "unmonitored", "no monitor watches a, b$", "nothing of them is removed", "monitor prune"),
		Entry("a note where unknown, with the reason", with(status("a", monitor.StateUnknown, "no memory")),
			checkup.Note, "unknown", `^a \(no memory\)$`, "they stay", ""),
		Entry("a note where broken, with the reason", with(status("a", monitor.StateBroken, "torn")),
			checkup.Note, "broken", `^a \(torn\)$`, "names are taken", "rm -r"),
		Entry("a note where it cannot be deleted, with the reason", with(status("a", monitor.StateStopping, "mounted"), status("b", monitor.StateStopping, "")),
			checkup.Note, "stopping", `^a \(mounted\)$`, "", "unmount"),
		Entry("a note where a log has grown", func(f *facts) { f.Runtimes.Log, f.Runtimes.Size = "/x/monitor.log", 20<<20 },
			checkup.Note, "logs", "/x/monitor.log has 20 MiB", "", ""),
		Entry("a note where they cannot be listed", func(f *facts) { f.Runtimes.Err = checkup.ErrLate },
			checkup.Note, "runtimes", "no answer", "", ""),
	)

	It("is that one monitor goes on with one, where there is to be no resident", func() {
		f := good()
		with(status("a", monitor.StateUnmonitored, ""))(&f)
		f.Resident.Unwanted = true
		Expect(checkup.Judge(f)).To(ContainElement(finding(checkup.Weaker, "unmonitored", "", "", "^monitor serve a$")))
	})

	It("has the number in each state, also one of a newer version", func() {
		f := good()
		with(status("a", monitor.StateRunning, ""), status("b", monitor.StateStarting, ""), status("c", monitor.StateRunning, ""), status("d", "idle", ""))(&f)
		Expect(checkup.Judge(f)).To(ContainElement(finding(checkup.OK, "runtimes", "^1 starting, 2 running, 1 idle$", "", "")))
	})

	It("names some of many", func() {
		f := good()
		for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
			f.Runtimes.All = append(f.Runtimes.All, status(name, monitor.StateUnmonitored, ""))
		}
		Expect(checkup.Judge(f)).To(ContainElement(finding(checkup.Weaker, "unmonitored", "watches a, b, c, d, e and 2 more$", "", "")))
	})
})

var _ = Describe("What is judged of the resident monitor", func() {
	// served changes a resident that serves.
	served := func(edit func(*checkup.Resident)) func(*facts) {
		return func(f *facts) {
			f.Resident = serving()
			edit(&f.Resident)
		}
	}
	DescribeTable("is", judged,
		Entry("weaker where it is stopped", func(f *facts) { f.Resident = checkup.Resident{Err: checkup.ErrLate, PID: 77, Stopped: true} },
			checkup.Weaker, "resident", "process 77 serves, and was stopped", "not removed until it goes on", "^kill -CONT 77$"),
		Entry("weaker where it hangs", func(f *facts) { f.Resident = checkup.Resident{Err: checkup.ErrLate, PID: 77} },
			checkup.Weaker, "resident", "process 77 .* no answer within", "", "^kill -KILL 77: its guard"),
		Entry("weaker where something else answers", func(f *facts) { f.Resident = checkup.Resident{Err: errors.New("no varlink")} },
			checkup.Weaker, "resident", "no varlink", "", "resident.sock"),
		Entry("weaker where there is to be none", func(f *facts) { f.Resident.Unwanted = true },
			checkup.Weaker, "resident", "MONITOR_RESIDENT=no", "unmonitored", "unset"),
		Entry("a note where it is in a namespace that is not seen", func(f *facts) { f.Resident = checkup.Resident{Elsewhere: process.ErrElsewhere} },
			checkup.Note, "resident", "another namespace", "monitor of its own", ""),
		Entry("a note where its guard has given up", func(f *facts) { f.Resident.GaveUp = "it died 6 times" },
			checkup.Note, "resident", "none serves: it died 6 times", "", ""),
		Entry("a note where it is older", served(func(r *checkup.Resident) { r.Age = checkup.Older }),
			checkup.Note, "resident", "older", "hand over", ""),
		Entry("a note where it is newer", served(func(r *checkup.Resident) { r.Age = checkup.Newer }),
			checkup.Note, "resident", "newer", "", ""),
		Entry("weaker where it serves, and is not asked", served(func(r *checkup.Resident) { r.Unwanted = true }),
			checkup.Weaker, "resident", "not asked", "nothing starts those anew", "unset"),
		Entry("a note where it has no guard", served(func(r *checkup.Resident) { r.Status.Guard = 0 }),
			checkup.Note, "resident", "no guard", "service manager", ""),
		Entry("weaker where it has a worse mechanism than one that is started now", served(func(r *checkup.Resident) { r.Tally.Mechanism = tracker.Pidfd }),
			checkup.Weaker, "resident", "by pidfd", "250 ms", "kill -TERM 77"),
		Entry("weaker where its descriptors are used up", served(func(r *checkup.Resident) { r.Files = &checkup.Quota{Limit: 256, Used: 240} }),
			checkup.Weaker, "resident", "no descriptor left", "", "kill -TERM 77"),
		Entry("a note where it is in another cgroup", served(func(r *checkup.Resident) { r.Cgroup = "/job.scope" }),
			checkup.Note, "resident", "/job.scope", "ends it, and its guard", ""),
		Entry("a note where it is in another namespace", served(func(r *checkup.Resident) { r.Elsewhere = process.ErrElsewhere }),
			checkup.Note, "resident", "another namespace", "", ""),
		Entry("a note where it is a member of a runtime", served(func(r *checkup.Resident) { r.Member = "outer" }),
			checkup.Note, "resident", `member of runtime "outer"`, "stays until", ""),
		Entry("a note where one that is started here would be a member", func(f *facts) { f.Around = checkup.Around{Runtime: "outer", Store: "/other"} },
			checkup.Note, "around", `runtime "outer" of the store /other`, "keeps it", "outside before"),
		Entry("a note where a log-out ends it", func(f *facts) { f.Session = checkup.Session{Kills: true, Unit: "session-3.scope"} },
			checkup.Note, "session", "session-3.scope", "together", "lingering"),
	)

	It("has its process, guard, version and what it watches", func() {
		f := good()
		f.Resident = serving()
		Expect(checkup.Judge(f)).To(ContainElement(finding(checkup.OK, "resident",
			"^process 77 serves since 1m0s, watches 2 runtimes, version v0.1.0, guard 78, 30 of 1048576 descriptors$", "", "")))
	})

	It("has nothing to say against a call in a runtime of the same store, or beside a resident", func() {
		f := good()
		f.Around = checkup.Around{Runtime: "build"}
		Expect(checkup.Judge(f)).To(ContainElement(finding(checkup.OK, "around", `runtime "build"$`, "", "")))
		f.Around.Store, f.Resident = "/other", serving()
		Expect(checkup.Judge(f)).To(ContainElement(finding(checkup.OK, "around", "/other$", "", "")))
	})
})

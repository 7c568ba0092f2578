package tracker

import (
	"fmt"
	"os"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// leaderless is the part of a process whose first thread ends before the
// others. Another thread waits at gate 1, and then ends the process, or execs a
// shell with the script in its environment.
func leaderless() {
	go func() {
		waitAt(1)
		if script := os.Getenv(scriptVariable); script != "" {
			must(syscall.Exec("/bin/sh", []string{"sh", "-c", script}, nil))
		}
		os.Exit(0)
	}()
	fmt.Println("root", os.Getpid())
	waitAt(0)
	// Not a raw call: the runtime has to know that the thread is in the kernel,
	// for it never comes back.
	_, _, _ = unix.Syscall(unix.SYS_EXIT, 0, 0, 0)
}

const scriptVariable = "TRACKER_SCRIPT"

func waitAt(gate int) {
	var one [1]byte
	_, _ = unix.Read(4+gate, one[:])
}

var _ = withTracker("A tree whose root's first thread has ended", func(open func() *Tracker) {
	// outlived waits until the first thread is a zombie, as /proc shows it.
	outlived := func(ctx SpecContext, pid int) {
		GinkgoHelper()
		Eventually(ctx, func() (string, error) {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			return string(status), err
		}).Should(ContainSubstring("State:\tZ"))
	}

	It("lives as long as the other threads", func(ctx SpecContext) {
		r := lead(2, played("leaderless"))
		r.persons(1)
		tree := follow(ctx, open(), r.Pid)
		ended := ends(ctx, tree, r.oracle)
		r.open(0)
		outlived(ctx, r.Pid)
		Expect(look(ctx, r.Pid).State).To(Equal(process.Running))
		lives(ctx, tree, r.oracle)
		Expect(ended).NotTo(Receive())
		r.open(1)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, patience)

	It("may be tracked", func(ctx SpecContext) {
		r := lead(2, played("leaderless"))
		r.persons(1)
		r.open(0)
		outlived(ctx, r.Pid)
		tree := follow(ctx, open(), r.Pid)
		ended := ends(ctx, tree, r.oracle)
		lives(ctx, tree, r.oracle)
		r.open(1)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, patience)

	It("lives on when another thread execs", func(ctx SpecContext) {
		r := lead(3, played("leaderless", scriptVariable+"=echo sh $$; read line <&6"))
		r.persons(1)
		before := look(ctx, r.Pid).Identity
		tree := follow(ctx, open(), r.Pid)
		ended := ends(ctx, tree, r.oracle)
		r.open(0)
		outlived(ctx, r.Pid)
		r.open(1)
		_, pid := r.person()
		Expect(pid).To(Equal(r.Pid))
		Expect(look(ctx, r.Pid).Identity).To(Equal(before))
		lives(ctx, tree, r.oracle)
		Expect(ended).NotTo(Receive())
		r.open(2)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, patience)
}, Label("linux"))

var _ = Describe("The id of a thread", Label("linux"), func() {
	It("is no PID", func(ctx SpecContext) {
		threads, err := os.ReadDir("/proc/self/task")
		Expect(err).NotTo(HaveOccurred())
		for _, thread := range threads {
			id := atoi(thread.Name())
			if id == os.Getpid() {
				continue
			}
			_, err := process.Lookup(id)
			Expect(err).To(MatchError(process.ErrGone), "thread %d", id)
		}
	}, patience)

	for _, m := range ways {
		It("cannot be watched on "+m.name, func() {
			k, err := m.open()
			Expect(err).NotTo(HaveOccurred())
			defer k.close()
			threads, err := os.ReadDir("/proc/self/task")
			Expect(err).NotTo(HaveOccurred())
			for _, thread := range threads {
				if id := atoi(thread.Name()); id != os.Getpid() {
					Expect(k.add(id)).To(MatchError(process.ErrGone), "thread %d", id)
				}
			}
		})
	}
})

var _ = Describe("A program with a misleading name", Label("linux"), func() {
	It("is read as what it is", func(ctx SpecContext) {
		name := ") Z 1 2 (3\n"
		path := GinkgoT().TempDir() + "/" + name
		Expect(os.Symlink("/bin/sh", path)).To(Succeed())
		r := lead(1, cue{argv: []string{path, "-c", "echo root $$; read line <&4"}})
		r.persons(1)
		p := look(ctx, r.Pid)
		Expect(p).To(And(HaveField("Command", programName(name)),
			HaveField("Parent", os.Getpid()), HaveField("State", process.Running)))
	}, patience)
})

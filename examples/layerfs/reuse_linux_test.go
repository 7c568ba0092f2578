package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// reuse runs in a PID namespace of its own: a tree reads, and its reader ends; then strangers
// get the PID of that, which ns_last_pid makes the next one (proc_sys_kernel(5)).
const reuse = `
set -e
"$1" serve "$2" $4 >"$3/served" & service=$!
while ! [ -s "$3/served" ]; do sleep 0.01; done # its line comes when it answers
mkfifo "$3/gate"
"$1" run --mount "$2" --layer "$3/a" -- sh -c '(exec sh -c "echo \$\$ >$1/pid; read x <$2/f; echo tree \$x") ; exec cat "$1/gate"' sh "$3" "$5" &
exec 4>"$3/gate" # the tree lives as long as it is open
pid=$(cat "$3/pid")
for tick in 1 2; do # the clock of start times goes on: the pidfds of a namespace tell processes apart by it alone
	read -r before rest </proc/uptime
	now=$before
	while [ "$now" = "$before" ]; do read -r now rest </proc/uptime; done
done
for n in 1 2 3 4 5 6 7 8 9 10; do
	while :; do
		echo $((pid - 1)) >/proc/sys/kernel/ns_last_pid
		perl -e 'exit 7 unless $$ == $ARGV[0]; open(F, "<", "$ARGV[1]/f") and print "stranger ", <F>; exit 0' "$pid" "$5" && break
	done
done
echo done
exec 4>&-
wait $!
"$1" unmount "$2"
wait $service
`

var _ = Describe("A stranger with the PID of a dead reader", Label("linux", "fuse", "namespaces"), func() {
	DescribeTable("sees nothing", func(ctx SpecContext, flags ...string) {
		for _, tool := range []string{"unshare", "perl"} {
			if _, err := exec.LookPath(tool); err != nil {
				Skip(tool + " is not installed")
			}
		}
		s := newStand(flags...)
		s.layer("a", map[string]string{"f": "of a\n"})
		other := filepath.Join(s.dir, "other")
		Expect(os.Mkdir(other, 0o700)).To(Succeed())
		top := other
		if s.top() != s.mount {
			top += "/self"
		}
		alone := s.cmd()
		alone.Path, alone.Args = "/bin/sh", nil
		unshare, err := exec.LookPath("unshare")
		Expect(err).NotTo(HaveOccurred())
		alone.Path = unshare
		alone.Args = []string{"unshare", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc", "sh", "-c", reuse, "sh", s.command, other, s.dir, strings.Join(flags, " "), top}
		if err := exec.Command("unshare", "--pid", "--mount", "--fork", "--mount-proc", "true").Run(); err != nil {
			Skip(fmt.Sprintf("namespaces are not for this process: %v", err))
		}
		out, err := limited(ctx, alone)
		Expect(err).NotTo(HaveOccurred(), out)
		Expect(out).To(And(ContainSubstring("tree of a\n"), ContainSubstring("done\n"), Not(ContainSubstring("stranger of"))))
	}, shapes)
})

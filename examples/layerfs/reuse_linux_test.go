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
// get the PID of that by clone3 with set_tid. Where the PID was made the next one instead, a
// thread of the service could get it, and keep it.
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
perl -e '
	my ($pid, $file) = @ARGV;
	my $tids = pack "i", $pid;
	my $how = pack "Q11", 0, 0, 0, 0, 17, 0, 0, 0, unpack("Q", pack "P", $tids), 1, 0;
	for (1 .. 10) {
		my $child = syscall 435, $how, length $how;
		if ($child == 0) { open(F, "<", $file) and print "stranger ", <F>; exit 0 }
		if ($child != $pid) { print "refused: $!\n"; exit 0 }
		waitpid $child, 0;
		$? and exit 1;
	}' "$pid" "$5/f"
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
		if _, why, refused := strings.Cut(out, "refused: "); refused {
			Skip("no PID can be chosen: " + why)
		}
		Expect(out).To(And(ContainSubstring("tree of a\n"), ContainSubstring("done\n"), Not(ContainSubstring("stranger of"))))
	}, shapes)
})

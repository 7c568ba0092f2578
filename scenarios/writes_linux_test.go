//go:build linux

package scenarios_test

import (
	"strconv"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("A monitor without", ours, Label("linux", "namespaces"), func() {
	It("room on the disk of the store logs it, and removes the runtime", func(ctx SpecContext) {
		namespace(ctx)
		// The mount ends with the namespace, so all is done in one shell.
		const inside = `dd if=/dev/zero of="$MONITOR_RUNTIME_DIR/fill" 2>&1; ` + crowd
		const script = `mkdir full && mount -t tmpfs -o size=64k,mode=700 none full && export MONITOR_STORE="$PWD/full" || exit 9
monitor run --name full -- sh -c "$1" sh sh -c 'until grep "is tried again" "$MONITOR_RUNTIME_DIR/../monitor.log"; do sleep .02; done'
i=0; while [ -e full/runtimes/full ] && [ $i -lt 200 ]; do sleep .1; i=$((i+1)); done
echo "left: $(ls full/runtimes)"`
		result := stage.Run("unshare", "--mount", "sh", "-c", "cd "+stage.Path("")+" && "+script, "sh", inside)
		Expect(result.Status).To(Equal(harness.Status{}), result.Stderr)
		Expect(result.Stdout).To(ContainSubstring("cannot be written and is tried again"))
		Expect(result.Stdout).To(HaveSuffix("left: \n"))
	}, limit)

	// A sibling of the command holds the lease. When the command has ended, the state is
	// unknown, which cannot be written.
	It("room on the disk of the store shows what it could not write when there is room", func(ctx SpecContext) {
		namespace(ctx)
		const script = `mkfifo gate && mkdir full && mount -t tmpfs -o size=64k,mode=700 none full && export MONITOR_STORE="$PWD/full" || exit 9
monitor run --name full -- "$@"
until grep -q "the record cannot be written" full/runtimes/full/monitor.log; do sleep .02; done
echo "full: $(monitor list)"
rm full/runtimes/full/root/fill
until monitor list | grep -q unknown; do sleep .02; done
echo "freed: $(monitor info full)"
echo >gate
while [ -e full/runtimes/full ]; do sleep .02; done
echo "left: $(ls full/runtimes)"`
		const inside = `my $pid = syscall($ARGV[0] + 0, 0x8000 | 17, 0, 0, 0, 0); # clone: CLONE_PARENT, SIGCHLD
			die "clone: $!" if $pid < 0;
			exec "cat", "gate" if !$pid;
			exec "dd", "if=/dev/zero", "of=$ENV{MONITOR_RUNTIME_DIR}/fill"`
		result := stage.Run("unshare", "--mount", "sh", "-c", "cd "+stage.Path("")+" && "+script, "sh",
			perl(), "-e", inside, strconv.Itoa(syscall.SYS_CLONE))
		Expect(result.Status).To(Equal(harness.Status{}), result.Stderr)
		Expect(result.Stdout).To(MatchRegexp(`(?s)full: .*full +running.*freed: .*state: +unknown\nreason: [^\n]* holds the lease.*left: \n$`))
	}, limit)

	// The store is mounted once more, on itself and read-only.
	It("a store that it may write to goes on, and removes the runtime when it may", func(ctx SpecContext) {
		namespace(ctx)
		alone() // its log is open; that of a resident monitor opens for each line
		const script = `mkdir store && export MONITOR_STORE="$PWD/store" || exit 9
monitor run --name kept -- "$@" || exit 9
until grep -q "the record cannot be written" store/runtimes/kept/monitor.log; do sleep .02; done
echo "kept: $(monitor list)"
umount store || exit 9
while [ -e store/runtimes/kept ]; do sleep .02; done
echo "left: $(ls store/runtimes)"`
		const inside = `mount --bind "$MONITOR_STORE" "$MONITOR_STORE" && mount -o remount,bind,ro "$MONITOR_STORE" || exit 9
sleep 60 & kill $!; wait; ! touch "$MONITOR_RUNTIME_DIR/file" && monitor tree kept`
		result := stage.Run("unshare", "--mount", "sh", "-c", "cd "+stage.Path("")+" && "+script, "sh", "sh", "-c", inside)
		Expect(result.Status).To(Equal(harness.Status{}), result.Stderr)
		Expect(result.Stdout).To(MatchRegexp(`(?s)kept: .*kept +running.*left: \n$`))
	}, limit)

	// Each process that begins or ends is a line. The pauses give the monitor time to fail.
	// Where they are too short, it is done again.
	It("a store that it may write to writes later what its log lacks", func(ctx SpecContext) {
		namespace(ctx)
		const script = `mkdir store && export MONITOR_STORE="$PWD/store" || exit 9
monitor --log-level debug run --name kept -- "$@" &
until [ -e begun ]; do sleep .02; done
until grep -q late=true store/runtimes/kept/monitor.log; do
	mount --bind store store && mount -o remount,bind,ro store && sleep .2 && umount store && sleep .2 || exit 9
done
cat store/runtimes/kept/monitor.log; : >end; wait
while [ -e store/runtimes/kept ]; do sleep .02; done`
		const inside = `: >begun; until [ -e end ]; do sleep .02; done`
		result := stage.Run("unshare", "--mount", "sh", "-c", "cd "+stage.Path("")+" && "+script, "sh", "sh", "-c", inside)
		Expect(result.Status).To(Equal(harness.Status{}), result.Stderr)
		Expect(result.Stdout).To(MatchRegexp(`msg=joined [^\n]* late=true\n`))
	}, limit)

	It("descriptors for all members, or fork notices, reads the table all the same, and removes the runtime", func(ctx SpecContext) {
		namespace(ctx)
		inside := crowd
		run := monitor.Run("poor", "sh", "-c", inside, "sh", "sh", "-c", `cat "$MONITOR_RUNTIME_DIR/../monitor.log"`)
		words := append([]string{"unshare", "--net", "sh", "-c", `ulimit -n 40; exec "$@"`, "sh"}, run...)
		result := stage.Run(words...)
		Expect(result.Status).To(Equal(harness.Status{}), result.Stderr)
		Expect(result.Stdout).To(And(ContainSubstring("by=pidfd"), Not(ContainSubstring("too many open files"))))
		expectRemoved(ctx, "poor", noProcess{})
	}, limit)
})

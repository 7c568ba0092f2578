package scenarios_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("The doctor", Label("linux", "namespaces"), ours, func() {
	It("in a container names what is weaker there, the reason and what would change it, and makes nothing", func(ctx SpecContext) {
		namespace(ctx)
		examine(ctx, And(
			HaveField("Mechanism", "pidfd"),
			finds("weaker", "tracking", `250 ms \(proc connector: .*pid:\[\d+\]`),
			finds("note", "namespaces", `pid:\[\d+\]`),
			HaveField("Findings", ContainElement(HaveField("Change", ContainSubstring("--pid=host --network=host")))),
		), unshare...)
		Expect(gemini.Store).NotTo(BeAnExistingFile())
	}, limit)

	It("shows that /proc hides processes", func(ctx SpecContext) {
		namespace(ctx)
		inside := `mount -t proc -o hidepid=2 proc /proc && setpriv --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all "$@"; exit`
		examine(ctx, finds("weaker", "table", "/proc .*hides"), "unshare", "--pid", "--fork", "--kill-child", "--mount", "sh", "-c", inside+" $?", "sh")
	}, limit)
})

package scenarios_test

import (
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("The store of root", ours, Label("linux", "namespaces"), func() {
	It("is not made in another user's HOME, but in root's own", func(ctx SpecContext) {
		namespace(ctx)
		theirs := stage.Path("theirs")
		Expect(os.Mkdir(theirs, 0o700)).To(Succeed())
		Expect(os.Chown(theirs, 12345, 12345)).To(Succeed())
		// What is made in root's home is gone with the mount namespace.
		const script = `home=$(sed -n 's/^root:.*:\(.*\):[^:]*$/\1/p' /etc/passwd) && mount -t tmpfs none "$home" || exit 9
monitor run -- true && monitor list && ls -A "$home/.local/state/gemini-monitor"`
		result := stage.Run(append([]string{"unshare", "--mount"}, nameless("HOME="+theirs, "sh", "-c", script)...)...)
		Expect(result.Status).To(Equal(harness.Status{}), result.Stderr)
		Expect(result.Stdout).To(HaveSuffix("runtimes\ntrash\n"))
		Expect(os.ReadDir(theirs)).To(BeEmpty())
	}, limit)
})

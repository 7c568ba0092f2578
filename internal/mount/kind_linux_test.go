package mount_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/mount"
)

var _ = Describe("The file system of a path", func() {
	const text = `22 27 0:21 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:30 / /home rw shared:2 master:1 - nfs4 server:/home rw
31 30 0:31 / /home/me/a\040b rw - tmpfs tmpfs rw
32 30 0:32 / /home/me/a\040b rw - fuse.sshfs there: rw
33 22 0:33 / /homely rw - xfs /dev/vdb rw
34 22 torn
`

	DescribeTable("is the one that is mounted deepest, the last of several", func(path, kind, point string, remote bool) {
		Expect(mount.Deepest(path, mount.MountedIn([]byte(text)))).To(Equal(mount.FileSystem{Kind: kind, Point: point, Remote: remote}))
	},
		Entry(nil, "/", "ext4", "/", false),
		Entry(nil, "/var/lib", "ext4", "/", false),
		Entry(nil, "/home", "nfs4", "/home", true),
		Entry(nil, "/home/me/a", "nfs4", "/home", true),
		Entry(nil, "/home/me/a b/c", "fuse.sshfs", "/home/me/a b", true),
		Entry(nil, "/homely/x", "xfs", "/homely", false),
	)

	It("is known of this directory", func() {
		found, err := mount.Of("/proc/self")
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(Equal(mount.FileSystem{Kind: "proc", Point: "/proc"}))
	})
})

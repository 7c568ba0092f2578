package mount_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/mount"
)

var _ = DescribeTable("The mount points in a text of mountinfo", func(text string, points ...string) {
	Expect(mount.PointsIn([]byte(text))).To(HaveExactElements(points))
},
	Entry("are none of an empty one", ""),
	Entry("are the fifth fields", "22 27 0:21 / /proc rw - proc proc rw\n23 22 0:5 / /dev rw,nosuid shared:2 - devtmpfs none rw\n", "/proc", "/dev"),
	Entry("may have blanks, line ends and backslashes", `22 27 0:21 / /a\040b\012c\134d\x rw - tmpfs none rw`, "/a b\nc\\d\\x"),
	Entry("are none of a line that is cut short", "22 27 0:21 / /proc\n22 27\n\n"),
)

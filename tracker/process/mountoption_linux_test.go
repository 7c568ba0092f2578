package process

import (
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("The mount option hidepid in a line of mountinfo", func() {
	DescribeTable("is found", func(options string, hides bool) {
		Expect(hidesProcesses([]byte("22 27 0:21 / /proc rw,relatime shared:5 - proc proc " + options))).To(Equal(hides))
	},
		Entry("by its name", "rw,hidepid=invisible", true),
		Entry("by the number of kernels before 5.8", "rw,gid=4,hidepid=2", true),
		Entry("not where it is off", "rw", false),
		Entry("not in another option", "rw,subset=pid", false),
	)

	DescribeTable("is looked for in the line of the mount", func(line string, id int64, is bool) {
		Expect(isMount([]byte(line), id)).To(Equal(is))
	},
		Entry("by its id", "22 27 0:21 / /elsewhere rw - proc proc rw", int64(22), true),
		Entry("not by another id", "22 27 0:21 / /proc rw - proc proc rw", int64(23), false),
		Entry("by its place, where the kernel gives no id", "22 27 0:21 / /proc rw - proc proc rw", int64(0), true),
		Entry("not by another place", "22 27 0:21 / /process rw - proc proc rw", int64(0), false),
		Entry("not where the line is cut", "22 27", int64(0), false),
	)

	It("is not found where /proc hides nothing, by a reader of this process", func() {
		info, err := os.ReadFile("/proc/self/mountinfo")
		Expect(err).NotTo(HaveOccurred())
		r, err := OpenReader()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(r.Close)
		Expect(r.mayHide()).To(Equal(strings.Contains(string(info), "hidepid=")))
		r.mount = -1 // of no line
		Expect(r.mayHide()).To(BeTrue())
	})
})

var _ = Describe("A file that is read in parts", func() {
	var r Reader
	read := func(text string) (parts []string, err error) {
		path := filepath.Join(GinkgoT().TempDir(), "file")
		Expect(os.WriteFile(path, []byte(text), 0o600)).To(Succeed())
		f, err := os.Open(path)
		Expect(err).NotTo(HaveOccurred())
		defer f.Close()
		err = r.eachPart(int(f.Fd()), ' ', func(part []byte) bool {
			parts = append(parts, string(part))
			return string(part) != "enough"
		})
		return parts, err
	}

	It("is read whole, also where it is larger than the buffer", func() {
		text := strings.Repeat("1234567 ", len(r.names)) + "last"
		Expect(read(text)).To(And(HaveLen(len(r.names)+1), HaveEach(Or(Equal("1234567"), Equal("last")))))
		Expect(read("")).To(BeEmpty())
		Expect(read("1 2 enough 3")).To(Equal([]string{"1", "2", "enough"}))
	})

	It("is refused if a part does not fit", func() {
		_, err := read(strings.Repeat("1", len(r.names)+1))
		Expect(err).To(HaveOccurred())
	})
})

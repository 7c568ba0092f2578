package union_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/examples/layerfs/union"
)

func TestUnion(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Union")
}

// layer makes a directory with files. A name that ends in a slash is a directory.
func layer(files ...string) string {
	GinkgoHelper()
	dir := GinkgoT().TempDir()
	for _, file := range files {
		path := filepath.Join(dir, file)
		if strings.HasSuffix(file, "/") {
			Expect(os.MkdirAll(path, 0o755)).To(Succeed())
			continue
		}
		Expect(os.MkdirAll(filepath.Dir(path), 0o755)).To(Succeed())
		Expect(os.WriteFile(path, []byte(file+" of "+filepath.Base(dir)), 0o644)).To(Succeed())
	}
	return dir
}

func stack(layers ...string) *union.Stack {
	GinkgoHelper()
	s, err := union.New(layers)
	Expect(err).NotTo(HaveOccurred())
	return s
}

// editable returns a union that can be written, and where that is.
func editable(layers ...string) (*union.Stack, string) {
	GinkgoHelper()
	s, dir := stack(layers...), GinkgoT().TempDir()
	Expect(s.Scratch(dir)).To(Succeed())
	return s, filepath.Join(dir, "upper")
}

func list(s *union.Stack, path string) (names []string) {
	GinkgoHelper()
	all, errno := s.List(path)
	Expect(errno).To(BeZero())
	for _, n := range all {
		names = append(names, n.Name)
	}
	slices.Sort(names)
	return names
}

// leads returns where a path leads, or the error.
func leads(s *union.Stack, path string) any {
	e, errno := s.Lookup(path)
	if errno != 0 {
		return errno
	}
	return e.Path
}

var _ = Describe("A union", func() {
	It("has what the top layer has, and what shows through", func() {
		a, b := layer("f", "d/a", "x/"), layer("f", "d/b", "x", "y/z")
		s := stack(a, b)
		a, b = s.Layers()[0], s.Layers()[1]
		Expect(leads(s, "f")).To(Equal(a + "/f"))
		Expect(leads(s, "d/a")).To(Equal(a + "/d/a"))
		Expect(leads(s, "d/b")).To(Equal(b + "/d/b"))
		Expect(leads(s, "y/z")).To(Equal(b + "/y/z"))
		Expect(leads(s, "x")).To(Equal(a+"/x"), "a directory over a file")
		Expect(list(s, "d")).To(Equal([]string{"a", "b"}))
		Expect(list(s, "")).To(Equal([]string{"d", "f", "x", "y"}))
		Expect(leads(s, "no")).To(Equal(syscall.ENOENT))
		Expect(leads(s, "f/no")).To(Equal(syscall.ENOTDIR))
	})

	It("hides what a layer hides", func() {
		s := stack(layer(".wh.f", "o/.wh..wh..opq", "o/new"), layer("f", "o/old", "d/.wh.e"), layer("d/e/x", "d/g"))
		Expect(leads(s, "f")).To(Equal(syscall.ENOENT))
		Expect(leads(s, "o/old")).To(Equal(syscall.ENOENT))
		Expect(leads(s, "d/e")).To(Equal(syscall.ENOENT))
		Expect(leads(s, ".wh.f")).To(Equal(syscall.ENOENT))
		Expect(list(s, "")).To(Equal([]string{"d", "o"}))
		Expect(list(s, "o")).To(Equal([]string{"new"}))
		Expect(list(s, "d")).To(Equal([]string{"g"}))
	})

	It("cannot be written without a scratch layer", func() {
		s := stack(layer("f", "d/"))
		Expect(s.Unlink("f")).To(Equal(syscall.EROFS))
		Expect(s.Rmdir("d")).To(Equal(syscall.EROFS))
		Expect(s.Mkdir("n", 0o755)).To(Equal(syscall.EROFS))
		Expect(s.Rename("f", "g", true)).To(Equal(syscall.EROFS))
		_, errno := s.Upper("f")
		Expect(errno).To(Equal(syscall.EROFS))
	})

	It("copies a file of a layer before it is written, with its directories", func() {
		base := layer("d/e/f")
		Expect(os.Chmod(base+"/d", 0o750)).To(Succeed())
		s, upper := editable(base)
		var copied []string
		s.OnCopy(func(path, _ string) { copied = append(copied, path) })
		at, errno := s.Upper("d/e/f")
		Expect(errno).To(BeZero())
		Expect(at).To(Equal(upper + "/d/e/f"))
		Expect(copied).To(Equal([]string{"d/e/f"}))
		Expect(os.ReadFile(at)).To(HavePrefix("d/e/f of "))
		Expect(os.Stat(upper + "/d")).To(HaveField("Mode()", os.ModeDir|0o750))
		Expect(leads(s, "d/e/f")).To(Equal(at))
	})

	It("goes on with the scratch layer of a process that was killed", func() {
		base := layer("f", "g")
		s, upper := editable(base)
		Expect(s.Unlink("f")).To(BeZero())
		Expect(s.Mkdir("d", 0o755)).To(BeZero())
		Expect(os.Chmod(upper, 0o700)).To(Succeed())
		again := stack(base)
		Expect(again.Scratch(filepath.Dir(upper))).To(Succeed())
		Expect(list(again, "")).To(Equal([]string{"d", "g"}))
		Expect(os.Stat(upper)).To(HaveField("Mode()", os.ModeDir|0o700))
	})

	It("has a name that is there and hidden: a change did not get to its end", func() {
		s, upper := editable(layer("f"))
		Expect(os.WriteFile(upper+"/f", nil, 0o600)).To(Succeed())
		Expect(os.WriteFile(upper+"/.wh.f", nil, 0o600)).To(Succeed())
		Expect(leads(s, "f")).To(Equal(upper + "/f"))
	})

	It("shows nothing of the layers in a directory that was removed and made again", func() {
		s, _ := editable(layer("d/f", "d/e/g"))
		Expect(s.Rmdir("d")).To(Equal(syscall.ENOTEMPTY))
		Expect([]any{s.Unlink("d/f"), s.Unlink("d/e/g"), s.Rmdir("d/e"), s.Rmdir("d"), s.Mkdir("d", 0o755)}).To(HaveEach(BeZero()))
		Expect(list(s, "d")).To(BeEmpty())
		Expect(leads(s, "d/e/g")).To(Equal(syscall.ENOENT))
	})

	It("renames a directory that no layer has a part of, and no other", func() {
		s, upper := editable(layer("d/f", "e/"))
		Expect(s.Rename("d", "n", true)).To(Equal(syscall.EXDEV))
		Expect(s.Mkdir("n", 0o755)).To(BeZero())
		Expect(s.Rename("n", "n/m", true)).To(Equal(syscall.EINVAL))
		Expect(s.Rename("n", "d", true)).To(Equal(syscall.ENOTEMPTY))
		Expect(s.Rename("n", "e", false)).To(Equal(syscall.EEXIST))
		Expect(s.Rename("n", "e", true)).To(BeZero())
		Expect(leads(s, "e")).To(Equal(upper + "/e"))
		Expect(s.Rename("e", "e2", true)).To(BeZero())
		Expect(leads(s, "e")).To(Equal(syscall.ENOENT), "that of the layer is hidden")
	})

	It("refuses names that hide others", func() {
		s, _ := editable(layer("f"))
		Expect(s.Mkdir(".wh.x", 0o755)).To(Equal(syscall.EINVAL))
		Expect(s.Rename("f", ".wh.x", true)).To(Equal(syscall.EINVAL))
	})

	It("needs layers that are there", func() {
		for _, layers := range [][]string{nil, {layer(), "/nowhere/at/all"}, {layer("f") + "/f"}} {
			_, err := union.New(layers)
			Expect(err).To(HaveOccurred())
		}
	})
})

package view

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestView(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "View")
}

var _ = Describe("The nodes", func() {
	var (
		all  *nodes
		tree = &Tree{Name: "tree"}
	)

	BeforeEach(func() {
		all = &nodes{}
		all.fixed(1, kindShared)
	})

	numbered := func(number uint64) key { return key{tree: tree, device: 1, number: number} }
	path := func(n *node) string {
		p, ok := all.pathOf(n)
		if !ok {
			return "none"
		}
		return p
	}

	It("are forgotten when the kernel has given back all that it got", func() {
		n := all.take(numbered(7), kindOwn, "f", 7)
		Expect(all.take(numbered(7), kindOwn, "f", 7)).To(BeIdenticalTo(n))
		all.forget(n.id, 1)
		Expect(all.get(n.id)).To(BeIdenticalTo(n))
		all.forget(n.id, 1)
		Expect(all.get(n.id)).To(BeNil())
		Expect(all.byKey).To(BeEmpty())
		Expect(all.byPlace).To(BeEmpty())
		Expect(all.take(numbered(7), kindOwn, "f", 7).id).NotTo(Equal(n.id))
	})

	It("stay one for two names of a file, and are another when a number is used again", func() {
		n := all.take(numbered(7), kindOwn, "f", 7)
		Expect(all.take(numbered(7), kindOwn, "g", 7)).To(BeIdenticalTo(n))
		all.drop(tree, "g")
		Expect(path(n)).To(Equal("f"))
		all.drop(tree, "f")
		Expect(path(n)).To(Equal("none"))
		Expect(all.take(numbered(7), kindOwn, "f", 7)).NotTo(BeIdenticalTo(n))
		Expect(path(n)).To(Equal("none"))
	})

	It("stay when a file of a layer is copied", func() {
		n := all.take(key{tree: tree, path: "f"}, kindOwn, "f", 7)
		Expect(all.rekey(tree, "f", numbered(8))).To(BeIdenticalTo(n))
		Expect(all.take(numbered(8), kindOwn, "f", 8)).To(BeIdenticalTo(n))
		Expect(n.ino).To(Equal(uint64(7)), "stat(2) returns what it did")
		Expect(all.rekey(tree, "g", numbered(9))).To(BeNil())
	})

	It("move with their directory, in their tree", func() {
		dir := all.take(key{tree: tree, dir: true, path: "d"}, kindOwn, "d", 2)
		file := all.take(numbered(7), kindOwn, "d/f", 7)
		beside := all.take(numbered(8), kindOwn, "dd", 8)
		other := all.take(key{tree: &Tree{}, dir: true, path: "d"}, kindOwn, "d", 2)
		replaced := all.take(key{tree: tree, dir: true, path: "e"}, kindOwn, "e", 3)
		all.move(tree, "d", "e", true)
		Expect([]string{path(dir), path(file), path(beside), path(other), path(replaced)}).To(Equal([]string{"e", "e/f", "dd", "d", "none"}))
		Expect(all.take(key{tree: tree, dir: true, path: "e"}, kindOwn, "e", 2)).To(BeIdenticalTo(dir))
		Expect(all.take(key{tree: tree, dir: true, path: "d"}, kindOwn, "d", 2)).NotTo(BeIdenticalTo(dir))
	})

	It("are another one for a directory that was retired, also while the kernel has the old", func() {
		k := key{dir: true, path: "d"}
		n := all.take(k, kindShared, "d", 2)
		all.retire("d")
		Expect(all.known(k)).To(BeNil())
		next := all.take(k, kindShared, "d", 2)
		Expect(next).NotTo(BeIdenticalTo(n))
		all.forget(n.id, 1)
		Expect(all.known(k)).To(BeIdenticalTo(next))
	})
})

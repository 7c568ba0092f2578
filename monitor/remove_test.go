//go:build darwin || linux

package monitor_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
)

// unprivileged is the id of a user without any rights.
const unprivileged = 65534

// A remover removes runtimes of a store as some user. Root may write to every
// directory, so only another user shows that a read-only one stops a removal.
type remover struct {
	dir     string // of the store
	foreign bool   // that user is unprivileged, and not ours
	play    func(role string, args ...string) error
}

// give gives a file to the remover's user.
func (r remover) give(path string) error {
	if !r.foreign {
		return nil
	}
	return os.Lchown(path, unprivileged, unprivileged)
}

func (r remover) remove() error { return r.play("remover", r.dir, "build") }

// asOurselves removes in the process of the specs.
func asOurselves() remover {
	return remover{
		dir:  GinkgoT().TempDir(),
		play: func(role string, args ...string) error { return roles[role](args) },
	}
}

// asUnprivileged removes in a process without rights, which only root can start.
// Where the specs do not run as root, they have no rights themselves.
func asUnprivileged() remover {
	GinkgoHelper()
	if os.Geteuid() != 0 {
		return asOurselves()
	}
	place, err := os.MkdirTemp("", "unprivileged")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, place)
	Expect(os.Chmod(place, 0o755)).To(Succeed())
	program := filepath.Join(place, "program")
	copySelf(program)
	Expect(os.Lchown(place, unprivileged, unprivileged)).To(Succeed())
	return remover{filepath.Join(place, "store"), true, func(role string, args ...string) error {
		cmd := exec.Command(program, append([]string{rolePrefix + role}, args...)...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: unprivileged, Gid: unprivileged}}
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}}
}

func copySelf(to string) {
	GinkgoHelper()
	self, err := os.Executable()
	Expect(err).NotTo(HaveOccurred())
	program, err := os.ReadFile(self)
	Expect(err).NotTo(HaveOccurred())
	Expect(os.WriteFile(to, program, 0o755)).To(Succeed())
}

// runtime makes a runtime, has it furnished and then gives all of the store to
// the remover's user.
func (r remover) runtime(furnish func(root string)) *monitor.Runtime {
	GinkgoHelper()
	store, err := monitor.Open(r.dir)
	Expect(err).NotTo(HaveOccurred())
	runtime, err := store.Create(mine("build", nil))
	Expect(err).NotTo(HaveOccurred())
	furnish(runtime.Root())
	if !r.foreign { // some directories cannot even be read
		return runtime
	}
	Expect(filepath.WalkDir(r.dir, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, r.give(path))
	})).To(Succeed())
	return runtime
}

var _ = DescribeTableSubtree("Removing a runtime", func(as func() remover) {
	var r remover

	BeforeEach(func() { r = as() })

	removed := func() {
		GinkgoHelper()
		Expect(contents(filepath.Join(r.dir, "runtimes"))).To(BeEmpty())
		Expect(contents(filepath.Join(r.dir, "trash"))).To(BeEmpty())
	}

	It("deletes all of it", func() {
		r.runtime(func(root string) {
			Expect(os.MkdirAll(filepath.Join(root, "a", "b", "c"), 0o700)).To(Succeed())
			Expect(os.WriteFile(filepath.Join(root, "a", "file"), []byte("x"), 0o400)).To(Succeed())
		})
		Expect(r.remove()).To(Succeed())
		removed()
	})

	It("deletes directories that cannot be written to, read or entered", func() {
		r.runtime(func(root string) {
			for _, mode := range []os.FileMode{0o500, 0o400, 0o100, 0o000} {
				outer := filepath.Join(root, fmt.Sprintf("%03o", mode))
				directory(0o700, outer, "inner")
				Expect(os.WriteFile(filepath.Join(outer, "inner", "file"), nil, 0o400)).To(Succeed())
				directory(mode, outer, "inner")
				directory(mode, outer)
			}
			directory(0o500, root)
		})
		Expect(r.remove()).To(Succeed())
		removed()
	})

	It("copes with a runtime whose own directory cannot be written to", func() {
		r.runtime(func(root string) { directory(0o500, filepath.Dir(root)) })
		Expect(r.remove()).To(Succeed())
		removed()
	})

	It("deletes links and leaves what they point to", func() {
		outside := directory(0o755, filepath.Dir(r.dir), "outside of "+filepath.Base(r.dir))
		DeferCleanup(os.RemoveAll, outside)
		locked := directory(0o755, outside, "locked")
		treasure := filepath.Join(locked, "treasure")
		Expect(os.WriteFile(treasure, []byte("dear"), 0o444)).To(Succeed())
		Expect(os.Chmod(locked, 0o555)).To(Succeed())
		DeferCleanup(os.Chmod, locked, os.FileMode(0o755)) // so that another user than root can delete it
		Expect(r.give(outside)).To(Succeed())
		Expect(r.give(locked)).To(Succeed())
		r.runtime(func(root string) {
			Expect(os.Symlink(outside, filepath.Join(root, "absolute"))).To(Succeed())
			Expect(os.Symlink(locked, filepath.Join(root, "to a locked one"))).To(Succeed())
			Expect(os.Symlink("../../../../"+filepath.Base(outside), filepath.Join(root, "relative"))).To(Succeed())
			Expect(os.Symlink(treasure, filepath.Join(root, "to a file"))).To(Succeed())
			// With a closed directory, the removal changes modes first.
			directory(0o700, root, "closed")
			Expect(os.Symlink(outside, filepath.Join(root, "closed", "inside"))).To(Succeed())
			directory(0o500, root, "closed")
		})
		Expect(r.remove()).To(Succeed())
		removed()
		Expect(os.ReadFile(treasure)).To(Equal([]byte("dear")))
		info, err := os.Stat(locked)
		Expect(err).NotTo(HaveOccurred())
		Expect(info.Mode().Perm()).To(Equal(os.FileMode(0o555)), "no mode outside was changed")
	})

	It("is no error when it was done before", func() {
		runtime := r.runtime(func(string) {})
		Expect(runtime.Remove()).To(Succeed())
		Expect(runtime.Remove()).To(Succeed())
		removed()
	})

	It("is no error for any of many removers at once", func() {
		r.runtime(func(root string) {
			for i := range 100 {
				directory(0o700, root, fmt.Sprint(i), "inner")
				directory(0o500, root, fmt.Sprint(i))
			}
		})
		const many = 4
		var removers sync.WaitGroup
		var found atomic.Int32
		for range many {
			removers.Go(func() {
				defer GinkgoRecover()
				err := r.remove()
				if err == nil {
					found.Add(1)
					return
				}
				Expect(err).To(MatchError(ContainSubstring("does not exist")), "a late remover finds no runtime")
			})
		}
		removers.Wait()
		Expect(found.Load()).To(BeNumerically(">=", 1))
		removed()
	})

	It("is no error while others sweep the trash", func() {
		Expect(r.play("cleaner", r.dir)).To(Succeed())
		removed()
	})
},
	Entry("as the user of the specs", asOurselves),
	Entry("as a user whom a read-only directory stops", asUnprivileged),
)

//go:build darwin || linux

package erase_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/erase"
)

// TestMain is also the program that deletes where a spec has mounted something, in a
// mount namespace of its own.
func TestMain(m *testing.M) {
	works := map[string]func(dir string) error{
		"erase": erase.All, "unlooked": erase.Unlooked,
		"turn":   func(dir string) error { return erase.InTurn("m", filepath.Dir(dir), filepath.Base(dir)) },
		"within": func(dir string) error { return erase.Within(dir, "way", "root") },
	}
	if work := works[os.Args[min(1, len(os.Args)-1)]]; work != nil && len(os.Args) == 3 {
		if err := work(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestErase(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Erase")
}

var _ = Describe("Deleting a directory", func() {
	var place, dir string

	BeforeEach(func() {
		place = GinkgoT().TempDir()
		dir = filepath.Join(place, "dir")
		Expect(os.Mkdir(dir, 0o700)).To(Succeed())
	})

	file := func(elements ...string) string {
		GinkgoHelper()
		path := filepath.Join(append([]string{place}, elements...)...)
		Expect(os.MkdirAll(filepath.Dir(path), 0o700)).To(Succeed())
		Expect(os.WriteFile(path, []byte("dear"), 0o400)).To(Succeed())
		return path
	}

	It("deletes all of it, names of any bytes, and nothing beside it", func() {
		beside := file("beside")
		for _, name := range []string{"a", "two\nlines", " ", "-r", "caf\xc3\xa9", ".hidden"} {
			file("dir", "sub", name)
		}
		Expect(os.Symlink(beside, filepath.Join(dir, "link"))).To(Succeed())
		Expect(os.Symlink(place, filepath.Join(dir, "sub", "link"))).To(Succeed())
		Expect(unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600)).To(Succeed())
		Expect(erase.All(dir)).To(Succeed())
		Expect(dir).NotTo(BeADirectory())
		Expect(beside).To(BeARegularFile())
	})

	It("is no error where there is none", func() {
		Expect(erase.All(filepath.Join(place, "none"))).To(Succeed())
		Expect(erase.All(filepath.Join(place, "none", "below"))).To(Succeed())
	})

	It("deletes nothing behind a link on the way", func() {
		kept := file("elsewhere", "root", "file")
		Expect(os.Symlink(filepath.Join(place, "elsewhere"), filepath.Join(dir, "way"))).To(Succeed())
		Expect(erase.Within(dir, "way", "root")).To(MatchError(unix.ENOTDIR))
		Expect(kept).To(BeARegularFile())
		Expect(erase.Within(place, "elsewhere", "root")).To(Succeed())
		Expect(erase.Within(place, "elsewhere", "root")).To(Succeed())
		Expect(kept).NotTo(BeAnExistingFile())
	})

	It("opens directories that are locked", func() {
		file("dir", "locked", "inner", "file")
		for _, locked := range []string{"dir/locked/inner", "dir/locked", "dir"} {
			Expect(os.Chmod(filepath.Join(place, locked), 0o000)).To(Succeed())
		}
		Expect(erase.All(dir)).To(Succeed())
		Expect(dir).NotTo(BeADirectory())
	})

	It("needs few descriptors for many levels", Serial, func() {
		var limit unix.Rlimit
		Expect(unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)).To(Succeed())
		few := limit
		few.Cur = 256
		Expect(unix.Setrlimit(unix.RLIMIT_NOFILE, &few)).To(Succeed())
		DeferCleanup(unix.Setrlimit, unix.RLIMIT_NOFILE, &limit)
		deep(dir, 1000)
		Expect(erase.All(dir)).To(Succeed())
		Expect(dir).NotTo(BeADirectory())
	})

	It("goes on past what cannot be deleted, and says what that is", Label("no-root"), func() {
		if os.Geteuid() == 0 {
			Skip("root is kept from nothing")
		}
		file("dir", "before")
		file("dir", "under", "after")
		missing := filepath.Join(place, "missing")
		Expect(os.Chmod(place, 0o500)).To(Succeed()) // dir itself has to stay
		DeferCleanup(os.Chmod, place, os.FileMode(0o700))
		Expect(erase.All(dir)).To(MatchError(unix.EACCES))
		Expect(os.ReadDir(dir)).To(BeEmpty())
		Expect(erase.All(missing)).To(Succeed())
	})

	It("deletes one entry before the rest", func() {
		file("dir", "first", "sub", "file")
		file("dir", "second")
		Expect(erase.InTurn("first", filepath.Dir(dir), filepath.Base(dir))).To(Succeed())
		Expect(dir).NotTo(BeADirectory())
		Expect(erase.InTurn("first", filepath.Dir(dir), filepath.Base(dir))).To(Succeed(), "there is nothing")
	})

	It("does so where that entry is missing, or behind a locked directory", func() {
		file("dir", "second")
		Expect(os.Chmod(dir, 0o000)).To(Succeed())
		Expect(erase.InTurn("first", filepath.Dir(dir), filepath.Base(dir))).To(Succeed())
		Expect(dir).NotTo(BeADirectory())
	})

	It("does so in a directory that its owner cannot write to", func() {
		file("dir", "first", "file")
		file("dir", "rest", "file")
		Expect(os.Chmod(dir, 0o500)).To(Succeed())
		Expect(erase.InTurn("first", filepath.Dir(dir), filepath.Base(dir))).To(Succeed())
		Expect(dir).NotTo(BeADirectory())
	})

	DescribeTable("deletes nothing where a file system is mounted", Label("mounts"),
		func(mount, at string) {
			needsNamespace()
			precious := file("precious", "file")
			kept := file("dir", "beside")
			Expect(os.Mkdir(filepath.Join(dir, "m"), 0o700)).To(Succeed())
			for _, how := range []string{"erase", "turn"} {
				text, err := erasing(how, dir, mount, filepath.Join(place, at), filepath.Dir(precious))
				Expect(err).To(HaveOccurred())
				Expect(text).To(And(ContainSubstring(filepath.Join(place, at)), ContainSubstring("a file system is mounted there; unmount it")))
				Expect(precious).To(BeARegularFile())
				Expect(kept).To(BeARegularFile())
			}
		},
		Entry("of another kind, below", "mount -t tmpfs none", "dir/m"),
		Entry("of another kind, at the directory itself", "mount -t tmpfs none", "dir"),
		Entry("the same one once more, below", `mount --bind "$3"`, "dir/m"),
		Entry("the same one once more, at the directory itself", `mount --bind "$3"`, "dir"),
	)

	DescribeTable("deletes nothing behind a file system that is mounted on the way", Label("mounts"), func(mount string) {
		needsNamespace()
		precious := file("precious", "root", "file")
		kept := file("dir", "way", "root", "file")
		text, err := erasing("within", dir, mount, filepath.Join(dir, "way"), filepath.Join(place, "precious"))
		Expect(err).To(HaveOccurred())
		Expect(text).To(ContainSubstring(filepath.Join(dir, "way") + ": a file system is mounted there; unmount it"))
		Expect(precious).To(BeARegularFile())
		Expect(kept).To(BeARegularFile())
	},
		Entry("of another kind", `mount_with_root() { mount -t tmpfs none "$1" && mkdir "$1/root"; }; mount_with_root`),
		Entry("the same one once more", `mount --bind "$3"`),
	)

	DescribeTable("stops at a file system that is mounted while it deletes, and changes no mode there", Label("mounts"),
		func(mount, at string) {
			needsNamespace()
			precious := file("precious", "file")
			Expect(os.Chmod(filepath.Dir(precious), 0o500)).To(Succeed())
			DeferCleanup(os.Chmod, filepath.Dir(precious), os.FileMode(0o700))
			Expect(os.Mkdir(filepath.Join(dir, "m"), 0o700)).To(Succeed())
			text, err := erasing("unlooked", dir, mount, filepath.Join(place, at), filepath.Dir(precious))
			Expect(err).To(HaveOccurred())
			Expect(text).To(And(ContainSubstring(filepath.Join(place, at)), ContainSubstring("a file system is mounted there; unmount it")))
			Expect(precious).To(BeARegularFile())
			info, err := os.Stat(filepath.Dir(precious))
			Expect(err).NotTo(HaveOccurred())
			Expect(info.Mode().Perm()).To(Equal(os.FileMode(0o500)))
		},
		Entry("of another kind", "mount -t tmpfs none", "dir/m"),
		Entry("the same one once more", `mount --bind "$3"`, "dir/m"),
		Entry("the same one once more, at the directory itself", `mount --bind "$3"`, "dir"),
	)
})

// deep makes a directory below dir for each level, without long paths.
func deep(dir string, levels int) {
	GinkgoHelper()
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	Expect(err).NotTo(HaveOccurred())
	for range levels {
		Expect(unix.Mkdirat(fd, "d", 0o700)).To(Succeed())
		next, err := unix.Openat(fd, "d", unix.O_RDONLY|unix.O_DIRECTORY, 0)
		Expect(err).NotTo(HaveOccurred())
		Expect(unix.Close(fd)).To(Succeed())
		fd = next
	}
	Expect(unix.Close(fd)).To(Succeed())
}

func needsNamespace() {
	if err := exec.Command("unshare", "--mount", "true").Run(); err != nil {
		Skip("no mount namespace can be made here: " + err.Error())
	}
}

// erasing deletes dir in a namespace where something is mounted, and returns what
// that prints.
func erasing(how, dir, mount, at, source string) (string, error) {
	self, err := os.Executable()
	Expect(err).NotTo(HaveOccurred())
	// Where the macOS build runs on Linux, HARNESS_EXEC names the program that runs it.
	script := mount + ` "$2" && exec $HARNESS_EXEC "$0" ` + how + ` "$1"`
	out, err := exec.Command("unshare", "--mount", "sh", "-c", script, self, dir, at, source).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

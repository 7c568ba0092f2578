//go:build darwin || linux

package monitor_test

import (
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
)

// foreigner is a user that no spec runs as.
const foreigner = 4711

// anothersDirectory returns a directory of another user: the given one, handed
// over, or one of root's where only root could do that.
func anothersDirectory(dir string) string {
	GinkgoHelper()
	if os.Geteuid() != 0 {
		return "/usr"
	}
	Expect(os.Chown(dir, foreigner, -1)).To(Succeed())
	return dir
}

func directory(mode os.FileMode, path ...string) string {
	GinkgoHelper()
	dir := filepath.Join(path...)
	Expect(os.MkdirAll(dir, 0o700)).To(Succeed())
	Expect(os.Chmod(dir, mode)).To(Succeed()) // past the umask
	return dir
}

var _ = Describe("On a file system that ignores case", Label("probe", "ignores-case"), func() {
	It("a runtime is found by any spelling of its name, and is one", func() {
		store := newStore()
		r, err := store.Create(monitor.Creation{Name: "demo", Command: []string{"true"}})
		Expect(err).NotTo(HaveOccurred())
		other, err := store.Runtime("DEMO")
		if errors.Is(err, monitor.ErrNotExist) {
			Skip("the file system of temporary files does not ignore case")
		}
		Expect(err).NotTo(HaveOccurred())
		record, err := r.Record()
		Expect(err).NotTo(HaveOccurred())
		Expect(other.Record()).To(Equal(record))
		_, err = store.Create(monitor.Creation{Name: "DEMO", Command: []string{"true"}})
		Expect(err).To(MatchError(monitor.ErrExist))
		Expect(store.Names()).To(Equal([]string{"demo"}))
	})
})

var _ = Describe("A store", func() {
	var dir string

	BeforeEach(func() { dir = filepath.Join(GinkgoT().TempDir(), "store") })

	It("need not exist to be read", func() {
		store, err := monitor.Open(dir)
		Expect(err).NotTo(HaveOccurred())
		Expect(store.Names()).To(BeEmpty())
		_, err = store.Runtime("build")
		Expect(err).To(MatchError(monitor.ErrNotExist))
		Expect(err).To(MatchError(`runtime "build" does not exist`))
		Expect(dir).NotTo(BeADirectory(), "reading creates nothing")
	})

	It("is created with the first runtime, for its owner alone", func() {
		store, err := monitor.Open(dir)
		Expect(err).NotTo(HaveOccurred())
		runtime, err := store.Create(mine("build", []string{"make"}))
		Expect(err).NotTo(HaveOccurred())
		Expect(store.Names()).To(Equal([]string{"build"}))
		for _, d := range []string{"", "runtimes", "trash", "runtimes/build", "runtimes/build/root"} {
			info, err := os.Stat(filepath.Join(dir, d))
			Expect(err).NotTo(HaveOccurred())
			Expect(info.Mode()).To(Equal(os.ModeDir|0o700), d)
		}
		for _, f := range []string{"runtime.json", "lease", "monitor.lock", "journal.jsonl", "monitor.log"} {
			info, err := os.Stat(filepath.Join(runtime.Dir(), f))
			Expect(err).NotTo(HaveOccurred())
			Expect(info.Mode()).To(Equal(os.FileMode(0o600)), f)
		}
	})

	It("has an absolute path also where it was named by a relative one", func() {
		GinkgoT().Chdir(GinkgoT().TempDir())
		store, err := monitor.Open("here")
		Expect(err).NotTo(HaveOccurred())
		here, err := os.Getwd()
		Expect(err).NotTo(HaveOccurred())
		Expect(store.Dir()).To(Equal(filepath.Join(here, "here")))
	})

	It("lists names in order and leaves out what is none", func() {
		store, err := monitor.Open(dir)
		Expect(err).NotTo(HaveOccurred())
		for _, name := range []string{"b", "C", "a"} {
			_, err := store.Create(mine(name, nil))
			Expect(err).NotTo(HaveOccurred())
		}
		directory(0o700, dir, "runtimes", ".new-1-1-1")
		Expect(os.WriteFile(filepath.Join(dir, "runtimes", ".DS_Store"), nil, 0o600)).To(Succeed())
		Expect(store.Names()).To(Equal([]string{"C", "a", "b"}))
	})

	DescribeTable("is refused", func(prepare func() string, reason string) {
		_, err := monitor.Open(prepare())
		Expect(err).To(MatchError(monitor.ErrUnsafe))
		Expect(err).To(MatchError(MatchRegexp(reason)))
	},
		Entry("when it is another user's",
			func() string { return anothersDirectory(directory(0o700, dir)) }, "belongs to user [0-9]+, not to user [0-9]+"),
		Entry("when its group can write to it",
			func() string { return directory(0o770, dir) }, `others can write to .* \(mode 0770; chmod go-w would do\)`),
		Entry("when it is for all users: its mode is right as it is", func() string {
			directory(0o777, dir)
			Expect(os.Chmod(dir, 0o777|os.ModeSticky)).To(Succeed())
			return dir
		}, `others can write to .* \(mode 0777\); it is no store: name a directory of your own$`),
		Entry("when it has other files: its mode may be right as it is", func() string {
			directory(0o770, dir)
			Expect(os.WriteFile(filepath.Join(dir, "mail"), nil, 0o600)).To(Succeed())
			return dir
		}, `others can write to .* \(mode 0770\); it is no store: name a directory of your own$`),
		Entry("when it is a store that its group can write to", func() string {
			directory(0o700, dir, "runtimes")
			return directory(0o770, dir)
		}, `others can write to .* \(mode 0770; chmod go-w would do\)$`),
		Entry("when all users can write to it",
			func() string { return directory(0o707, dir) }, "others can write to .*mode 0707"),
		Entry("when it is a file",
			func() string { Expect(os.WriteFile(dir, nil, 0o600)).To(Succeed()); return dir }, "is not a directory"),
		Entry("when others can write to where runtimes are",
			func() string { directory(0o777, dir, "runtimes"); return dir }, "others can write to .*/runtimes "),
		Entry("when others can write to its trash",
			func() string { directory(0o772, dir, "trash"); return dir }, "others can write to .*/trash "),
		Entry("when where runtimes are is a file", func() string {
			directory(0o700, dir)
			Expect(os.WriteFile(filepath.Join(dir, "runtimes"), nil, 0o600)).To(Succeed())
			return dir
		}, "runtimes is not a directory"),
	)

	It("is refused by Create when it became unsafe after it was opened", func() {
		store, err := monitor.Open(dir)
		Expect(err).NotTo(HaveOccurred())
		directory(0o777, dir)
		_, err = store.Create(mine("build", nil))
		Expect(err).To(MatchError(monitor.ErrUnsafe))
		Expect(filepath.Join(dir, "runtimes", "build")).NotTo(BeAnExistingFile())
	})

	It("that cannot be created is an error with a path and a cause", func() {
		file := filepath.Join(GinkgoT().TempDir(), "file")
		Expect(os.WriteFile(file, nil, 0o600)).To(Succeed())
		store, err := monitor.Open(filepath.Join(GinkgoT().TempDir(), "no", "where"))
		Expect(err).NotTo(HaveOccurred())
		Expect(os.WriteFile(filepath.Dir(store.Dir()), nil, 0o600)).To(Succeed())
		_, err = store.Create(mine("build", nil))
		Expect(err).To(MatchError("create store " + store.Dir() + ": not a directory"))
	})

	Describe("refuses one runtime", func() {
		var store *monitor.Store

		BeforeEach(func() {
			var err error
			store, err = monitor.Open(dir)
			Expect(err).NotTo(HaveOccurred())
			_, err = store.Create(mine("build", nil))
			Expect(err).NotTo(HaveOccurred())
		})

		// place puts something where the runtime was and keeps that as "aside".
		place := func() string {
			GinkgoHelper()
			place := filepath.Join(dir, "runtimes", "build")
			Expect(os.Rename(place, filepath.Join(dir, "aside"))).To(Succeed())
			return place
		}

		It("that others can write to", func() {
			directory(0o720, dir, "runtimes", "build")
			_, err := store.Runtime("build")
			Expect(err).To(MatchError(monitor.ErrUnsafe))
			Expect(err).To(MatchError(HavePrefix(`runtime "build" not safe to use: others can write`)))
		})

		It("that is another user's", Label("root"), func() {
			if os.Geteuid() != 0 {
				Skip("only root can give a directory to another user")
			}
			anothersDirectory(filepath.Join(dir, "runtimes", "build"))
			_, err := store.Runtime("build")
			Expect(err).To(MatchError(monitor.ErrUnsafe))
		})

		It("that is a file", func() {
			Expect(os.WriteFile(place(), nil, 0o600)).To(Succeed())
			_, err := store.Runtime("build")
			Expect(err).To(MatchError(monitor.ErrUnsafe))
			Expect(err).To(MatchError(ContainSubstring("is not a directory")))
		})

		It("that is a link to a directory, even to a good runtime", func() {
			Expect(os.Symlink(filepath.Join(dir, "aside"), place())).To(Succeed())
			_, err := store.Runtime("build")
			Expect(err).To(MatchError(monitor.ErrUnsafe))
		})

		It("that is a link to nowhere", func() {
			Expect(os.Symlink("nowhere", place())).To(Succeed())
			_, err := store.Runtime("build")
			Expect(err).To(MatchError(monitor.ErrUnsafe))
		})
	})
})

var _ = Describe("The default store", func() {
	usual := func(home string) string {
		below := map[string]string{"linux": ".local/state", "darwin": "Library/Application Support"} // Apple's guidelines
		return filepath.Join(home, below[runtime.GOOS], "gemini-monitor")
	}

	It("is in $XDG_STATE_HOME", func() {
		GinkgoT().Setenv("XDG_STATE_HOME", "/somewhere/state")
		Expect(monitor.DefaultDir()).To(Equal("/somewhere/state/gemini-monitor"))
	})

	DescribeTable("is below the home directory otherwise", func(state string) {
		GinkgoT().Setenv("XDG_STATE_HOME", state)
		GinkgoT().Setenv("HOME", "/somewhere/home")
		Expect(monitor.DefaultDir()).To(Equal(usual("/somewhere/home")))
	},
		Entry("where the variable is empty", ""),
		Entry("where it is relative, which is ignored by the XDG specification", "state"),
	)

	It("is in the home directory of the user database where HOME is not set", func() {
		me, err := user.LookupId(strconv.Itoa(os.Geteuid()))
		if err != nil {
			Skip("the user database has no entry for this user: " + err.Error())
		}
		GinkgoT().Setenv("XDG_STATE_HOME", "")
		GinkgoT().Setenv("HOME", "")
		Expect(monitor.DefaultDir()).To(Equal(usual(me.HomeDir)))
	})

	It("is not in a relative home directory", func() {
		GinkgoT().Setenv("XDG_STATE_HOME", "")
		GinkgoT().Setenv("HOME", "home/me")
		_, err := monitor.DefaultDir()
		Expect(err).To(MatchError(`find the user's state directory: HOME is "home/me", which is no absolute path; name a store with --store or MONITOR_STORE`))
	})

	It("is root's own where the directories of the environment are another user's", Label("root"), func() {
		if os.Geteuid() != 0 {
			Skip("only root has directories of another user")
		}
		home := GinkgoT().TempDir()
		Expect(os.Lchown(home, unprivileged, unprivileged)).To(Succeed())
		me, err := user.LookupId("0")
		Expect(err).NotTo(HaveOccurred())
		GinkgoT().Setenv("HOME", home)
		for _, state := range []string{"", filepath.Join(home, "state"), filepath.Join(home, "not", "there")} {
			GinkgoT().Setenv("XDG_STATE_HOME", state)
			Expect(monitor.DefaultDir()).To(Equal(usual(me.HomeDir)))
		}
	})
})

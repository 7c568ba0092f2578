package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// long are both shapes of a mount, for specs that may take long.
var long = []TableEntry{Entry("at the mount"), Entry("below self", "--self")}

// shapes are both shapes of a mount, of a service that follows processes and of one that asks.
var shapes = []TableEntry{
	Entry("at the mount", patient),
	Entry("below self", patient, "--self"),
	Entry("at the mount, by the resident", patient, "--resident"),
	Entry("below self, by the resident", patient, "--self", "--resident"),
}

// modes are both ways to know the tree of a caller.
var modes = []TableEntry{
	Entry("that follows processes", patient),
	Entry("that asks the resident monitor", patient, "--resident"),
}

var _ = Describe("A mount", Label("linux", "fuse"), func() {
	DescribeTable("shows two trees different files under one path, and strangers none", func(_ SpecContext, flags ...string) {
		s := newStand(flags...)
		a := s.shell("--layer", s.layer("a", map[string]string{"f": "of a\n", "sub/x": "only a\n"}))
		b := s.shell("--layer", s.layer("b", map[string]string{"f": "of b, which is longer\n", "y": "only b\n"}))
		stranger := s.stranger()
		read := `cat "$d/f" "$d/sub/x"; ls "$d"`
		for _, sh := range []*shell{a, b, stranger} {
			Expect(sh.do("d=" + s.top())).To(BeEmpty())
		}
		for range 3 { // what the kernel remembers of one tree does not show in another
			Expect(a.do(read)).To(Equal("of a\nonly a\nf\nsub\n"))
			Expect(b.do(read)).To(MatchRegexp("^of b, which is longer\ncat: .*sub/x: No such file or directory\nf\ny\n$"))
			Expect(stranger.do(`ls -A "$d"`)).To(BeEmpty())
			Expect(stranger.do(`cat "$d/f"`)).To(ContainSubstring("No such file or directory"))
		}
		Expect(a.do("cat f; cd sub && cat x; cd ..")).To(Equal("of a\nonly a\n"), "also from where it stands")
		Expect(b.do("echo no >f; echo no >new; mkdir d; rm f; mv f g; chmod 600 f")).To(
			MatchRegexp(`^(.*Read-only file system\n){6}exit status 1\n$`))
		Expect(stranger.do(`touch "$d/n"; mkdir "$d/n"; chmod 700 "$d/"; mv "$d" "$d/n"; ln -s x "$d/n"`)).To(
			MatchRegexp(`^(.*(Read-only file system|Device or resource busy|subdirectory of itself.*)\n){5}exit status 1\n$`))
		a.exits()
		b.exits()
	}, shapes)

	DescribeTable("keeps the working directory of a shell while others look for it", func(_ SpecContext, flags ...string) {
		s := newStand(flags...)
		a := s.shell("--layer", s.layer("a", map[string]string{"sub/x": "a\n"}))
		b := s.shell("--layer", s.layer("b", map[string]string{"y": "b\n"}))
		stranger := s.stranger()
		Expect(a.do("cd sub")).To(BeEmpty())
		where := a.do("/bin/pwd")
		for range 3 {
			Expect(b.do("ls sub; cd sub")).To(ContainSubstring("No such file or directory"))
			Expect(stranger.do("ls m/sub; cat m/sub/x")).To(ContainSubstring("No such file or directory"))
			Expect(a.do("/bin/pwd; cat x")).To(Equal(where + "a\n"))
		}
	}, shapes)

	DescribeTable("shows a directory to one tree where another has a file", func(_ SpecContext, flags ...string) {
		s := newStand(flags...)
		a := s.shell("--layer", s.layer("a", map[string]string{"n/x": "in a directory\n"}))
		b := s.shell("--layer", s.layer("b", map[string]string{"n": "a file\n"}))
		for range 3 {
			Expect(a.do("cat n/x")).To(Equal("in a directory\n"))
			Expect(b.do("cat n")).To(Equal("a file\n"))
		}
	}, shapes)

	DescribeTable("shows a directory that another tree has removed, and made again", func(_ SpecContext, flags ...string) {
		s := newStand(flags...)
		a := s.shell("--edit", "--layer", s.layer("a", map[string]string{"d/x": "x\n", "d/e/f": "f\n"}))
		b := s.shell("--layer", s.layer("b", map[string]string{"d/y": "y\n", "d/e/g": "g\n"}))
		Expect(b.do("cat d/y d/e/g")).To(Equal("y\ng\n"))
		Expect(b.do("cd d/e; cd ../..")).To(BeEmpty())
		stands := s.shell("--layer", filepath.Join(s.dir, "b"))
		Expect(stands.do("cd d")).To(BeEmpty()) // the kernel keeps the inode
		Expect(a.do("rm -r d; ls -A; ls d")).To(ContainSubstring("No such file or directory"))
		Expect(b.do("cat d/y d/e/g; ls d")).To(Equal("y\ng\ne\ny\n"))
		Expect(a.do("mkdir d; echo z >d/z; ls d; cat d/z")).To(Equal("z\nz\n"))
		Expect(b.do("cat d/y d/e/g; ls d")).To(Equal("y\ng\ne\ny\n"))
	}, shapes)

	DescribeTable("shows the layers merged, the first on top", func(_ SpecContext, flags ...string) {
		s := newStand(flags...)
		top := s.layer("top", map[string]string{"f": "top\n", "d/t": "t\n", ".wh.gone": "", "o/.wh..wh..opq": "", "o/new": "new\n"})
		base := s.layer("base", map[string]string{"f": "base\n", "d/b": "b\n", "gone": "x\n", "o/old": "old\n", "g": "g\n"})
		sh := s.shell("--layer", top, "--layer", base)
		Expect(sh.do("cat f g; ls d o; cat d/t d/b; cat gone o/old 2>&1")).To(MatchRegexp(
			"^top\ng\nd:\nb\nt\n\no:\nnew\nt\nb\ncat: gone: No such.*\ncat: o/old: No such.*\nexit status 1\n$"))
		Expect(sh.do("ls")).To(Equal("d\nf\ng\no\n"))
	}, shapes)

	DescribeTable("runs programs of a layer, and shows mapped files", func(_ SpecContext, flags ...string) {
		s := newStand(flags...)
		a, b := s.layer("a", nil), s.layer("b", nil)
		for dir, text := range map[string]string{a: "a", b: "b"} {
			Expect(os.WriteFile(filepath.Join(dir, "script"), []byte("#!/bin/sh\necho script of "+text+"\n"), 0o755)).To(Succeed())
			Expect(exec.Command("cp", "/bin/echo", filepath.Join(dir, "program")).Run()).To(Succeed())
		}
		Expect(os.Chmod(filepath.Join(b, "program"), 0o644)).To(Succeed())
		inA, inB := s.shell("--layer", a), s.shell("--layer", b)
		Expect(inA.do("./script; ./program hello")).To(Equal("script of a\nhello\n"))
		Expect(inB.do("./script; ./program hello")).To(MatchRegexp("^script of b\n.*Permission denied\nexit status 126\n$"))
	}, shapes)

	DescribeTable("keeps the view of an orphan", func(_ SpecContext, flags ...string) {
		s := newStand(flags...)
		sh := s.shell("--layer", s.layer("a", map[string]string{"f": "of a\n"}))
		other := s.shell("--layer", s.layer("b", map[string]string{"f": "of b\n"}))
		gate, out := filepath.Join(s.dir, "gate"), filepath.Join(s.dir, "out")
		Expect(sh.do("mkfifo " + gate)).To(BeEmpty())
		Expect(sh.do(fmt.Sprintf(`( ( read x <%s; cat %s/f >%s.new; mv %[3]s.new %[3]s ) >/dev/null 2>&1 & )`, gate, s.top(), out))).To(BeEmpty())
		sh.exits()
		Expect(other.do("cat f; echo go >" + gate)).To(Equal("of b\n"))
		Eventually(os.ReadFile).WithArguments(out).Should(BeEquivalentTo("of a\n"))
	}, shapes)

	DescribeTable("shows a tree inside another its own layers, and the outer one the others", func(_ SpecContext, flags ...string) {
		s := newStand(flags...)
		outer := s.shell("--layer", s.layer("a", map[string]string{"f": "outer\n"}))
		b := s.layer("b", map[string]string{"f": "inner\n"})
		inside := fmt.Sprintf(`XDG_STATE_HOME=%s %s run --mount %s --layer %s -- sh -c 'cat %s/f; (cat %[5]s/f)'`, filepath.Join(s.dir, "state"), s.command, s.mount, b, s.top())
		Expect(outer.do(inside + "; cat f")).To(Equal("inner\ninner\nouter\n"))
		Expect(outer.do("exec 3<f; " + inside + "; cat <&3; cat " + s.top() + "/f")).To(Equal("inner\ninner\nouter\nouter\n"))
	}, shapes)

	DescribeTable("shows one that joins what the tree sees", func(ctx SpecContext, flags ...string) {
		s := newStand(flags...)
		sh := s.shell("--edit", "--name", "work", "--layer", s.layer("a", map[string]string{"f": "of a\n"}))
		Expect(sh.do("echo more >new")).To(BeEmpty())
		joined := s.cmd("join", "work", "--mount", s.mount, "--", "sh", "-c", `cd "$1"; cat f new; (cat f)`, "sh", s.top())
		Expect(limited(ctx, joined)).To(Equal("of a\nmore\nof a\n"))
	}, shapes)

	for _, size := range []struct {
		trees, readers int
		labels         Labels
		entries        []TableEntry
	}{{4, 40, Label(), shapes}, {20, 1000, Label("stress"), long}} {
		DescribeTable(fmt.Sprintf("is right for %d short readers in each of %d trees", size.readers, size.trees), size.labels, func(_ SpecContext, flags ...string) {
			s := newStand(flags...)
			var all sync.WaitGroup
			for i := range size.trees {
				text := strings.Repeat(strconv.Itoa(i)+" ", 3000+i)
				sh := s.shell("--layer", s.layer("l"+strconv.Itoa(i), map[string]string{"d/f": text}))
				all.Go(func() {
					defer GinkgoRecover()
					Expect(os.WriteFile(s.dir+"/want"+strconv.Itoa(i), []byte(text), 0o600)).To(Succeed())
					Expect(sh.do(fmt.Sprintf(`n=0; while [ $n -lt %d ]; do cmp -s %s/want%d %s/d/f || echo wrong; n=$((n+1)); done`, size.readers, s.dir, i, s.top()))).To(BeEmpty())
				})
			}
			all.Wait()
		}, size.entries)
	}

	for _, size := range []struct {
		forks   int
		labels  Labels
		entries []TableEntry
	}{{500, Label(), shapes}, {2500, Label(), shapes[2:3]}, {100_000, Label("stress"), long}} {
		DescribeTable(fmt.Sprintf("is right at the first open after each of %d forks", size.forks), size.labels, func(_ SpecContext, flags ...string) {
			if _, err := exec.LookPath("perl"); err != nil {
				Skip("perl is not installed")
			}
			s := newStand(flags...)
			a := s.shell("--layer", s.layer("a", map[string]string{"f": "of a\n"}))
			b := s.shell("--layer", s.layer("b", map[string]string{"f": "of b\n"}))
			forks := func(want string) string {
				return fmt.Sprintf(`perl -e 'for (1..%d) { if (!($p = fork)) { open(F, "<", "%s/f") or exit 1; exit(<F> eq "%s\n" ? 0 : 2) } waitpid $p, 0; $bad++ if $? } print $bad+0'`,
					size.forks/2, s.top(), want)
			}
			inA, inB := a.send(forks("of a")), b.send(forks("of b"))
			Expect(a.await(inA)).To(Equal("0"))
			Expect(b.await(inB)).To(Equal("0"))
		}, size.entries)
	}
})

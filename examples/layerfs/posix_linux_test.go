package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// posixCases are what a program does in a tree that can be written, and in a plain directory
// with the same files. Both have to print the same. The files: base (of the lower layer), top
// (of the upper one), both (of both), link -> base, d/low, d/up, d/both, e/ (empty, lower),
// full/x (lower).
var posixCases = [][2]string{
	{"create", `echo x >n; cat n; stat -c '%F %a %s %h' n; ls`},
	{"create exclusively where a file is", `set -C; echo x >base; cat base`},
	{"create in a missing directory", `echo x >no/n`},
	{"create below a file", `echo x >base/n`},
	{"create with a umask", `umask 027; echo x >n; mkdir nd; stat -c %a n nd`},
	{"write over", `echo x >base; echo y >top; echo z >both; cat base top both`},
	{"append", `echo x >>base; echo y >>top; cat base top; stat -c %s base top`},
	{"write in the middle", `printf XY | dd of=base bs=1 seek=1 conv=notrunc 2>/dev/null; cat base`},
	{"write behind the end", `printf X | dd of=base bs=1 seek=100 conv=notrunc 2>/dev/null; stat -c %s base; od -c base | head -3`},
	{"read and write by one descriptor", `exec 3<>base; read -r a <&3; echo new >&3; exec 3>&-; echo "$a"; cat base`},
	{"a reader sees what is written later", `exec 3<base; echo much longer than before >base; cat <&3`},
	{"a reader keeps a removed file", `exec 3<base; rm base; cat <&3; cat base`},
	{"a writer keeps a removed file", `exec 3<>base; rm base; echo new >&3; ls base; stat -L -c '%s %h' /proc/self/fd/3`},
	{"a file that is removed and made again is another one", `exec 3<base; rm base; echo new >base; cat base; cat <&3`},
	{"truncate", `: >base; stat -c %s base; truncate -s 3 both; cat both; truncate -s 10 top; od -c top`},
	{"truncate a missing file", `truncate -c -s 3 no; ls no`},
	{"truncate a directory", `truncate -s 3 d`},
	{"unlink", `rm base top both; ls; cat base; cat both`},
	{"unlink twice", `rm base; rm base`},
	{"unlink a directory", `unlink d; ls d`},
	{"unlink and make a directory", `rm base; mkdir base; ls -A base; stat -c %F base`},
	{"rmdir", `rmdir e; ls; ls e`},
	{"rmdir a full directory", `rmdir full d; ls full d`},
	{"rmdir a file", `rmdir base`},
	{"rmdir a missing directory", `rmdir no`},
	{"rmdir and make again", `rm -r full d; mkdir full d; ls -A full d; echo x >d/n; ls d`},
	{"rmdir and make a file", `rmdir e; echo x >e; cat e`},
	{"remove all", `rm -rf d full e; ls -A`},
	{"mkdir", `mkdir n; stat -c '%F %a' n; mkdir n/m; echo x >n/m/f; cat n/m/f; ls n`},
	{"mkdir where anything is", `mkdir base; mkdir d; mkdir link`},
	{"mkdir below what is missing", `mkdir no/n; mkdir base/n`},
	{"mkdir with the bits of its mode", `mkdir -m 1777 n; stat -c %a n; mkdir -m 700 d/n; stat -c %a d/n`},
	{"a directory hands on its group", `chgrp 4 d; chmod g+s d; mkdir d/n; echo x >d/f; stat -c '%g %a' d/n d/f`},
	{"list merged directories", `ls -A d full e; echo x >d/new; rm d/low; ls -A d`},
	{"rename a file", `mv base n; cat n; cat base; ls`},
	{"rename over a file", `mv base top; cat top; ls; mv -n both top; ls; cat top`},
	{"rename onto itself", `mv base ./base 2>/dev/null; cat base`},
	{"rename into another directory", `mv base d/n; mv d/low low; ls . d; cat d/n low`},
	{"rename a missing file", `mv no n`},
	{"rename a file over a directory", `mv -T base d; ls d; cat base`},
	{"rename and make again", `mv base n; echo new >base; cat base n; mv n base; cat base; ls`},
	{"rename a new directory", `mkdir n; echo x >n/f; mv n m; cat m/f; ls n; ls`},
	{"rename a directory of the layers", `mv d n; ls n; ls d; cat n/both; ls`},
	{"rename a directory over an empty one", `mkdir n; echo x >n/f; mv -T n e; ls e; ls`},
	{"rename a directory over a full one", `mkdir n; mv -T n full; ls full`},
	{"rename a directory over a file", `mkdir n; mv -T n base; cat base`},
	{"rename a directory into itself", `mkdir n; mv n n/m; ls n`},
	{"an open file keeps its name's new content", `exec 3<base; mv top base; cat <&3; cat base`},
	{"link", `ln base n; stat -c %h base n; echo x >>n; cat base; rm base; cat n; stat -c %h n`},
	{"link where a file is", `ln base top; cat top`},
	{"link a directory", `ln d n`},
	{"link a missing file", `ln no n`},
	{"link into a directory", `ln base d/n; cat d/n; [ base -ef d/n ] && echo same`},
	{"symlink", `ln -s base n; readlink n link; cat n link; stat -c '%F %s' n; ln -s x base`},
	{"a symlink to nothing", `ln -s nowhere n; cat n; ls -l n | cut -c1-10; echo made >n; cat nowhere`},
	{"write through a symlink", `echo x >link; cat base; ls -l link | cut -c1-10`},
	{"remove a symlink", `rm link; ls; cat base`},
	{"replace a symlink", `ln -sfn top link; readlink link; cat link`},
	{"chmod", `chmod 600 base; chmod 755 top; chmod 4711 both; stat -c '%a %n' base top both; chmod 700 d; stat -c %a d`},
	{"chmod by a symlink", `chmod 640 link; stat -c '%a %n' base link`},
	{"chmod a missing file", `chmod 600 no`},
	{"chmod of an open file", `exec 3<base; chmod 600 /proc/self/fd/3; stat -c %a base`},
	{"chown", `chown 1:2 base; stat -c '%u %g' base; chown -h 3 link; stat -c %u link base; chown 4 d; stat -c %u d`},
	{"chown clears the bits for another user", `chmod 6755 base; chown 1 base; stat -c %a base`},
	{"a write keeps mode and owner", `chmod 640 base; chown 1:2 base; echo x >>base; stat -c '%a %u %g' base`},
	{"utimes", `touch -d 2001-02-03T04:05:06.123456789Z base d; stat -c %.9Y base d; touch -a -d 1999-01-01Z base; stat -c '%X %Y' base`},
	{"utimes of a symlink", `touch -h -d 2001-02-03Z link; stat -c %Y link; [ "$(stat -c %Y base)" = 981158400 ] && echo wrong; true`},
	{"a copy keeps the time", `touch -d 2001-02-03Z base; chmod 600 base; stat -c %Y base`},
	{"a write changes the time", `touch -d 2001-02-03Z base; echo x >>base; [ "$(stat -c %Y base)" -gt 981158400 ] && echo later`},
	{"a FIFO", `mkfifo n; stat -c '%F %a' n; (echo x >n &); cat n; rm n; ls`},
	{"test for access", `for f in base d link no; do [ -r $f ] && [ -w $f ] && echo $f; done; [ -x base ] || echo not a program; [ -x d ] && echo enter`},
	{"run a new program", `printf '#!/bin/sh\necho hi\n' >n; ./n; chmod +x n; ./n`},
	{"a copied program", `cp /bin/echo n; ./n hi; echo x >>n; ./n hi | head -c 2`},
	{"extended attributes", `for f in base d n; do "$XATTR" set $f user.a 1; "$XATTR" get $f user.a; "$XATTR" set $f user.a 22; "$XATTR" get $f user.a; "$XATTR" list $f; "$XATTR" remove $f user.a; "$XATTR" get $f user.a; "$XATTR" list $f; done`},
	{"a copy keeps the extended attributes", `"$XATTR" set base user.a 1; chmod 600 base; mv base d/n; cp d/n d/m; "$XATTR" get d/n user.a; "$XATTR" list d/m`},
	{"names that are long", `n=$(printf %255s | tr ' ' x); echo x >"$n" && cat "$n"; echo x >"${n}y"`},
	{"names of all kinds", `for n in ' ' '*' '\' '-n' "$(printf '\303\244')" "$(printf 'a\nb')"; do echo x >"./$n"; done; ls -A | od -c; rm -- ' ' '*' '\' -n; ls -A | od -c`},
	{"a tar archive", `tar cf - d full | (mkdir n; cd n; tar xf -); (cd n; find . | sort; cat d/both)`},
	{"a copy of all", `cp -a d n; diff -r d n && echo same; ls n`},
	{"sed in place", `sed -i s/base/x/ base; cat base; stat -c %h base`},
	{"sparse files", `truncate -s 1M n; printf x | dd of=n bs=1 seek=500000 conv=notrunc 2>/dev/null; cp --sparse=always n m; cmp n m && stat -c %s m`},
	{"fallocate", `fallocate -l 5000 n && stat -c %s n`},
	{"locks", `flock base -c 'flock -n base -c "echo no" || echo held'; flock -n base -c 'echo free'`},
	{"work in a directory that is removed", `mkdir n; cd n; rmdir ../n; ls -A; echo x >f; cd ..; ls`},
	{"many files", `i=0; while [ $i -lt 300 ]; do echo $i >d/f$i; i=$((i+1)); done; ls d | wc -l; rm d/f1*; ls d | wc -l; cat d/f299`},
	{"deep directories", `mkdir -p n/a/b/c/d/e/f/g; echo x >n/a/b/c/d/e/f/g/h; find n | wc -l; rm -r n/a/b; find n`},
}

var _ = Describe("A tree that can be written", Label("linux", "fuse"), func() {
	DescribeTable("does what a plain directory does", func(ctx SpecContext, flags ...string) {
		s := newStand(flags...)
		Expect(os.Symlink(s.command, filepath.Join(s.dir, "xattr"))).To(Succeed())
		var differences []string
		for i, one := range posixCases {
			there, here := s.both(ctx, fmt.Sprint("case", i), one[1])
			if there != here {
				differences = append(differences, fmt.Sprintf("%s: %s\n  here: %q\n plain: %q", one[0], one[1], there, here))
			}
		}
		Expect(strings.Join(differences, "\n")).To(BeEmpty())
	},
		Entry("at the mount", NodeTimeout(5*time.Minute)),
		Entry("below self", NodeTimeout(5*time.Minute), "--self"),
		Entry("at the mount, by the resident", NodeTimeout(5*time.Minute), "--resident"))
})

// both has a shell carry out a script in a tree that can be written, and in a plain directory
// with the same files. It returns what each has printed.
func (s *stand) both(ctx context.Context, name, script string) (there, here string) {
	GinkgoHelper()
	base := s.layer(name+"/base", map[string]string{"base": "base\n", "both": "lower\n", "d/low": "low\n", "d/both": "lower\n", "full/x": "x\n"})
	top := s.layer(name+"/top", map[string]string{"top": "top\n", "both": "upper\n", "d/up": "up\n", "d/both": "upper\n"})
	Expect(os.Mkdir(filepath.Join(base, "e"), 0o755)).To(Succeed())
	Expect(os.Symlink("base", filepath.Join(base, "link"))).To(Succeed())
	plain := filepath.Join(s.dir, name, "plain")
	Expect(exec.Command("cp", "-a", base, plain).Run()).To(Succeed())
	Expect(exec.Command("cp", "-a", top+"/.", plain).Run()).To(Succeed())
	before := snapshot(base, top)

	const line = `cd "$1" && umask 022 && export XATTR="$3" && { ` + "eval \"$2\"\n" + `echo "exit $?"; } 2>&1`
	words := []string{"-c", line, "sh", s.top(), script, filepath.Join(s.dir, "xattr")}
	there, err := limited(ctx, s.cmd(append([]string{"run", "--edit", "--mount", s.mount, "--layer", top, "--layer", base, "--", "sh"}, words...)...))
	Expect(err).NotTo(HaveOccurred(), there)
	words[3] = plain
	alone := exec.Command("sh", words...)
	alone.Env = s.cmd().Env
	here, err = limited(ctx, alone)
	Expect(err).NotTo(HaveOccurred(), here)
	Expect(snapshot(base, top)).To(Equal(before), "%s: the layers are as they were", script)
	return there, here
}

// snapshot lists all that is in some directories.
func snapshot(dirs ...string) string {
	GinkgoHelper()
	out, err := exec.Command("find", append(dirs, "-printf", "%p %y %m %U %G %s %T@ %l\n")...).Output()
	Expect(err).NotTo(HaveOccurred())
	return string(out)
}

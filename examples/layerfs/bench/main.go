// Bench measures "git status" of a tree of files: as it is, through go-fuse's own loopback, and
// through layerfs in both shapes, with the same time-outs, where it follows the processes itself
// and where it asks the resident monitor. It needs root, /dev/fuse, git, and the program monitor
// beside layerfs.
//
//	bench -layerfs PATH [-files 20000] [-times 9]
//
// Two more roles are for itself: "bench loopback DIR MOUNT TTL" serves, "bench measure DIR
// TIMES" measures in the tree that it is in.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	var err error
	switch {
	case len(os.Args) == 5 && os.Args[1] == "loopback":
		err = serveLoopback(os.Args[2], os.Args[3], os.Args[4])
	case len(os.Args) == 4 && os.Args[1] == "measure":
		err = measure(os.Args[2], os.Args[3])
	default:
		b := &bench{}
		flag.StringVar(&b.layerfs, "layerfs", "bin/layerfs", "the command")
		flag.IntVar(&b.files, "files", 20_000, "how many files")
		flag.IntVar(&b.times, "times", 9, "how often git status runs")
		flag.Parse()
		err = b.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// A bench is one run of all measurements.
type bench struct {
	layerfs      string
	files, times int
	dir          string // temporary
	repository   string
	bare         time.Duration
}

func (b *bench) run() (err error) {
	if b.layerfs, err = filepath.Abs(b.layerfs); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "layerfs-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if err := b.makeFiles(); err != nil {
		return err
	}
	if b.bare, err = b.itself("measure", b.repository, strconv.Itoa(b.times)); err != nil {
		return err
	}
	fmt.Printf("git status of %d files, median of %d\n", b.files, b.times)
	b.print("the file system itself", b.bare, 0)
	for _, pair := range []struct {
		ttl time.Duration
		of  []candidate
	}{
		{0, []candidate{
			{"layerfs at the mount", []string{"--cache", "0"}},
			{"the same, by the resident monitor", []string{"--cache", "0", "--resident"}},
			{"layerfs at the mount, attributes of files remembered", []string{"--cache", "1m"}},
			{"the same, by the resident monitor", []string{"--cache", "1m", "--resident"}},
		}},
		{time.Minute, []candidate{
			{"layerfs below self", []string{"--self", "--cache", "1m"}},
			{"the same, by the resident monitor", []string{"--self", "--cache", "1m", "--resident"}},
		}},
	} {
		loopback, err := b.loopback(pair.ttl)
		if err != nil {
			return err
		}
		b.print(fmt.Sprintf("loopback of go-fuse, time-outs %v", pair.ttl), loopback, 0)
		for _, c := range pair.of {
			took, err := b.through(c.flags)
			if err != nil {
				return err
			}
			b.print(c.what, took, loopback)
		}
	}
	again, err := b.itself("measure", b.repository, strconv.Itoa(b.times))
	if err == nil {
		b.print("the file system itself, again", again, 0)
	}
	return err
}

// A candidate is layerfs with some flags.
type candidate struct {
	what  string
	flags []string
}

func (b *bench) print(what string, took, loopback time.Duration) {
	beside := ""
	if loopback > 0 {
		beside = fmt.Sprintf("%6.2f x loopback", float64(took)/float64(loopback))
	}
	fmt.Printf("  %-55s %8.1f ms %6.2f x bare %s\n", what, took.Seconds()*1000, float64(took)/float64(b.bare), beside)
}

// makeFiles makes a git repository: directories of 50 files, two deep.
func (b *bench) makeFiles() error {
	b.repository = filepath.Join(b.dir, "repository")
	for i := range b.files {
		dir := filepath.Join(b.repository, fmt.Sprintf("d%02d/e%02d", i/1000, i/50%20))
		if i%50 == 0 {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("file%05d", i)), []byte(strconv.Itoa(i)+"\n"), 0o644); err != nil {
			return err
		}
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=b", "-c", "user.email=b", "commit", "-q", "-m", "all"}} {
		if out, err := git(b.repository, args...).CombinedOutput(); err != nil {
			return fmt.Errorf("git %s: %w: %s", args[0], err, out)
		}
	}
	return nil
}

// git returns a command that compares sizes and times alone: the numbers of inodes are others
// through FUSE. It writes no index.
func git(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command("git", append([]string{"-C", dir, "-c", "core.checkStat=minimal", "-c", "core.trustctime=false", "-c", "safe.directory=*", "-c", "gc.auto=0"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*")
	return cmd
}

// measure prints the median of some runs, in nanoseconds. The first run does not count.
func measure(dir, times string) error {
	n, err := strconv.Atoi(times)
	if err != nil {
		return err
	}
	var took []time.Duration
	for range n + 1 {
		began := time.Now()
		out, err := git(dir, "status", "--porcelain").CombinedOutput()
		if err != nil || len(out) > 0 {
			return fmt.Errorf("git status: %w: %s", err, out)
		}
		took = append(took, time.Since(began))
	}
	took = took[1:]
	slices.Sort(took)
	fmt.Println(int64(took[len(took)/2]))
	return nil
}

// itself runs this program in a role that prints a time.
func (b *bench) itself(args ...string) (time.Duration, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	return timeOf(exec.Command(self, args...))
}

func timeOf(cmd *exec.Cmd) (time.Duration, error) {
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	return time.Duration(n), err
}

// mountPoint makes a directory to mount at.
func (b *bench) mountPoint() (string, error) { return os.MkdirTemp(b.dir, "m") }

// loopback measures go-fuse's own loopback.
func (b *bench) loopback(ttl time.Duration) (took time.Duration, err error) {
	mount, err := b.mountPoint()
	if err != nil {
		return 0, err
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	server := exec.Command(self, "loopback", b.repository, mount, ttl.String())
	end, err := startServer(server, mount)
	if err != nil {
		return 0, err
	}
	defer end()
	return b.itself("measure", mount, strconv.Itoa(b.times))
}

// through measures layerfs.
func (b *bench) through(flags []string) (took time.Duration, err error) {
	mount, err := b.mountPoint()
	if err != nil {
		return 0, err
	}
	server := exec.Command(b.layerfs, append([]string{"serve", mount, "--store", mount + ".store"}, flags...)...)
	end, err := startServer(server, mount)
	if err != nil {
		return 0, err
	}
	defer end()
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	at := mount
	if slices.Contains(flags, "--self") {
		at = filepath.Join(mount, "self")
	}
	return timeOf(exec.Command(b.layerfs, "run", "--mount", mount, "--layer", b.repository, "--", self, "measure", at, strconv.Itoa(b.times)))
}

// startServer starts a program that prints when it has mounted. The function ends it.
func startServer(server *exec.Cmd, mount string) (end func(), err error) {
	out, err := server.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var log strings.Builder
	server.Stderr = &log
	if err := server.Start(); err != nil {
		return nil, err
	}
	end = func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		_ = server.Wait()
		_ = syscall.Unmount(mount, 0)
	}
	if n, err := out.Read(make([]byte, 1)); n == 0 {
		end()
		return nil, fmt.Errorf("%s: %w: %s", filepath.Base(server.Path), err, log.String())
	}
	return end, nil
}

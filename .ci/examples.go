// Examples runs the examples of the harness as modules of other people: each has the
// harness from a module proxy, and nothing else of this repository.
//
//	go run .ci/examples.go OUT EXAMPLE...
//
// It makes the module zip of the harness in a proxy of files in the directory OUT, copies
// each example there, drops its replace, requires the version of the proxy and runs go
// vet and go test. Then it checks that the module graph has nothing that only our specs
// need. The first example is run again with go mod vendor.
package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	harness = "github.com/gemini-monitor/gemini/harness"
	source  = "harness"
)

// unwanted are parts of paths of modules that an importer of the harness must not get.
var unwanted = []string{"ginkgo", "gomega", "cobra", "rapid"}

func main() {
	if len(os.Args) < 3 {
		fmt.Println("examples: there are none")
		return
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "examples:", err)
		os.Exit(1)
	}
}

func run(out string, examples []string) error {
	out, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	version, err := publish(filepath.Join(out, "proxy"))
	if err != nil {
		return fmt.Errorf("make a module of the harness: %w", err)
	}
	defer forget(version)
	for i, example := range examples {
		o, err := copyOf(example, out, version)
		if err != nil {
			return fmt.Errorf("copy %s: %w", example, err)
		}
		if err := o.check("-mod=mod"); err != nil {
			return err
		}
		if i == 0 {
			if _, err := o.command("-mod=mod", "mod", "vendor"); err != nil {
				return err
			}
			if err := o.check("-mod=vendor"); err != nil {
				return err
			}
		}
	}
	return nil
}

// publish writes the harness to a proxy of files and returns the version, which is made
// from the contents: go keeps a module by its version.
func publish(proxy string) (version string, err error) {
	files, err := filesOf(source)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, f := range files {
		fmt.Fprintf(sum, "%s %d\n%s", f.name, len(f.text), f.text)
	}
	made := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	version = fmt.Sprintf("v0.0.0-%s-%x", made.Format("20060102150405"), sum.Sum(nil)[:6])
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	for _, f := range files {
		into, err := w.Create(harness + "@" + version + "/" + f.name)
		if err != nil {
			return "", err
		}
		if _, err := into.Write(f.text); err != nil {
			return "", err
		}
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	mod, err := os.ReadFile(filepath.Join(source, "go.mod"))
	if err != nil {
		return "", err
	}
	dir := filepath.Join(proxy, harness, "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	info := fmt.Sprintf(`{"Version":%q,"Time":%q}`, version, made.Format(time.RFC3339))
	return version, errors.Join(
		os.WriteFile(filepath.Join(dir, "list"), []byte(version+"\n"), 0o644),
		os.WriteFile(filepath.Join(dir, version+".info"), []byte(info), 0o644),
		os.WriteFile(filepath.Join(dir, version+".mod"), mod, 0o644),
		os.WriteFile(filepath.Join(dir, version+".zip"), archive.Bytes(), 0o644))
}

// A file is one of a module, by its path in it.
type file struct {
	name string
	text []byte
}

// filesOf returns the files that a module zip has: those of the directory without modules
// below it, and the licence of the repository.
func filesOf(dir string) (files []file, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if path != dir && (exists(filepath.Join(path, "go.mod")) || entry.Name() == "vendor") {
				return fs.SkipDir
			}
			return nil
		case !entry.Type().IsRegular():
			return nil
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		files = append(files, file{filepath.ToSlash(name), text})
		return err
	})
	if err == nil && !exists(filepath.Join(dir, "LICENSE")) {
		var text []byte
		text, err = os.ReadFile("LICENSE")
		files = append(files, file{"LICENSE", text})
	}
	return files, err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// forget removes the version from go's module cache: it is of no use to a later run.
func forget(version string) {
	cache, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		return
	}
	root := strings.TrimSpace(string(cache))
	kept, _ := filepath.Glob(filepath.Join(root, "cache", "download", harness, "@v", version+".*"))
	for _, path := range append(kept, filepath.Join(root, harness+"@"+version)) {
		if err := os.RemoveAll(path); err != nil {
			fmt.Fprintln(os.Stderr, "examples:", err)
		}
	}
}

// An outsider is a module of another author that requires the harness.
type outsider struct{ name, dir, proxy string }

// copyOf copies an example to a directory below out and makes it require the version.
func copyOf(example, out, version string) (outsider, error) {
	o := outsider{filepath.Base(example), filepath.Join(out, filepath.Base(example)), "file://" + filepath.Join(out, "proxy")}
	if err := os.CopyFS(o.dir, os.DirFS(example)); err != nil {
		return o, err
	}
	_, err := o.command("-mod=mod", "mod", "edit", "-dropreplace="+harness, "-require="+harness+"@"+version)
	return o, err
}

// check runs go vet, go test and, unless the module is vendored, checks its graph.
func (o outsider) check(mode string) error {
	begin := time.Now()
	for _, args := range [][]string{{"vet", "./..."}, {"test", "-count=1", "./..."}} {
		if _, err := o.command(mode, args...); err != nil {
			return err
		}
	}
	others := "vendored"
	if mode == "-mod=mod" {
		graph, err := o.command(mode, "mod", "graph")
		if err != nil {
			return err
		}
		for _, word := range unwanted {
			if strings.Contains(graph, word) {
				return fmt.Errorf("%s: its module graph has %s:\n%s", o.name, word, graph)
			}
		}
		others = fmt.Sprintf("%d arrows in its module graph", strings.Count(graph, "\n"))
	}
	fmt.Printf("examples: %s passes in %.1f s, %s\n", o.name, time.Since(begin).Seconds(), others)
	return nil
}

// command runs go in the directory of the outsider and returns what it prints.
func (o outsider) command(mode string, args ...string) (string, error) {
	ambient, err := exec.Command("go", "env", "GOPROXY", "GONOSUMDB", "GOFLAGS").Output()
	if err != nil {
		return "", err
	}
	values := strings.SplitN(string(ambient), "\n", 3)
	cmd := exec.Command("go", args...)
	cmd.Dir = o.dir
	for _, variable := range os.Environ() { // an outsider has none of ours
		if !strings.HasPrefix(variable, "HARNESS_") && !strings.HasPrefix(variable, "GEMINI_") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	cmd.Env = append(cmd.Env, "GOWORK=off", "GOPROXY="+o.proxy+","+values[0], "GONOSUMDB="+harness+","+values[1],
		"GOFLAGS="+strings.TrimSpace(values[2])+" "+mode+" -modcacherw")
	text, err := cmd.Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			text = append(text, failed.Stderr...)
		}
		return "", fmt.Errorf("%s: go %s: %w\n%s", o.name, strings.Join(args, " "), err, text)
	}
	return string(text), nil
}

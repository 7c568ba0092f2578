// Modules checks that the modules of the repository agree.
//
//	go run .ci/modules.go DIRECTORY...    prints what is wrong and exits with 1, or prints counts
//
// The directories are those of all modules. A module that one of them requires by itself
// has the same version in each go.mod that names it, and in tools.mod: the ginkgo command
// runs suites of its own version only, and an importer gets the highest version anyway.
// The measurements are left out, which only need to be built. The product has no replace:
// go install refuses a program whose module has one.
package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// own begins the path of each module of the repository.
const own = "github.com/gemini-monitor/gemini"

// apart are modules with versions of their own.
var apart = []string{"internal/bench/gopsutil"}

// A goMod is a go.mod file, as go mod edit -json has it.
type goMod struct {
	file    string
	Go      string
	Require []struct {
		Path, Version string
		Indirect      bool
	}
	Replace []struct{ Old struct{ Path string } }
}

func main() {
	wrong := unlisted(os.Args[1:])
	mods := []goMod{read("tools.mod")}
	for _, dir := range os.Args[1:] {
		if !slices.Contains(apart, dir) {
			mods = append(mods, read(filepath.Join(dir, "go.mod")))
		}
	}
	versions, shared := map[string]map[string][]string{}, 0 // files by path and version
	for path := range direct(mods) {
		versions[path] = map[string][]string{}
		for _, m := range mods {
			for _, r := range m.Require {
				if r.Path == path {
					versions[path][r.Version] = append(versions[path][r.Version], m.file)
					shared++
				}
			}
		}
		if len(versions[path]) > 1 {
			wrong = append(wrong, fmt.Sprintf("%s has more than one version: %v", path, versions[path]))
		}
	}
	wrong = append(wrong, product(mods)...)
	slices.Sort(wrong)
	for _, line := range wrong {
		fmt.Println("modules:", line)
	}
	if len(wrong) > 0 {
		os.Exit(1)
	}
	fmt.Printf("modules: checked %d modules with %d requirements of %d others\n", len(os.Args)-1, shared, len(versions))
}

// direct returns the modules that a module of the repository requires by itself.
func direct(mods []goMod) map[string]bool {
	all := map[string]bool{}
	for _, m := range mods {
		for _, r := range m.Require {
			if !r.Indirect && !strings.HasPrefix(r.Path, own) {
				all[r.Path] = true
			}
		}
	}
	return all
}

// product returns what the go.mod of the product must not have, and whether the modules
// ask for different releases of Go.
func product(mods []goMod) (wrong []string) {
	for _, m := range mods {
		switch {
		case m.file == "go.mod" && len(m.Replace) > 0:
			wrong = append(wrong, "go.mod has a replace: go install refuses the command then")
		case m.file == "tools.mod":
		case m.Go != mods[1].Go:
			wrong = append(wrong, fmt.Sprintf("%s asks for Go %s, and %s for %s", m.file, m.Go, mods[1].file, mods[1].Go))
		}
	}
	return wrong
}

// unlisted returns the modules of the repository that are not among dirs: the gate would
// not see them.
func unlisted(dirs []string) (wrong []string) {
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", "out", "bin"}, path):
			return fs.SkipDir
		case entry.Name() == "go.work":
			wrong = append(wrong, path+" exists: the modules are built as their importers build them")
		case entry.Name() == "go.mod" && !slices.Contains(dirs, filepath.Dir(path)):
			wrong = append(wrong, path+" is not of a module that the Makefile lists")
		}
		return nil
	})
	if err != nil {
		wrong = append(wrong, err.Error())
	}
	return wrong
}

// read returns the contents of a go.mod file.
func read(file string) (m goMod) {
	text, err := exec.Command("go", "mod", "edit", "-json", file).Output()
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "modules: read %s: %v\n", file, err)
		os.Exit(2)
	}
	m.file = file
	return m
}

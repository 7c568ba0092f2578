// Layers checks that no package of the module imports one that is above it.
//
//	go run .ci/layers.go    prints the arrows that are not allowed and exits with 1, or prints counts
//
// It reads the imports of all packages and their specs on each system that the module is
// built for. CONTRIBUTING.md has the layers in words.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

const module = "github.com/gemini-monitor/gemini/"

// A layer is a package with what it may import of the module.
type layer struct {
	path    string
	imports string // by its product files: packages of earlier lines only
	specs   string // by its specs, beside the above and the package itself
}

// specOnly are the packages that only specs use. They come after all that is product, so
// no product package can import them.
const specOnly = " internal/testproc internal/rehearsal internal/simkernel internal/conformance internal/explore"

// layers has each package of the module, from the ground up.
var layers = []layer{
	// The product: process <- trees <- core <- kernel <- tracker <- monitor <- the command.
	{"tracker/process", "", specOnly},
	{"tracker/trees", "tracker/process", specOnly},
	{"internal/core", "tracker/process tracker/trees", specOnly},
	{"internal/kernel", "tracker/process tracker/trees internal/core", specOnly},
	{"tracker", "tracker/process tracker/trees internal/core internal/kernel", specOnly},
	{"internal/descriptor", "", ""},
	{"internal/erase", "", ""},
	{"internal/detach", "tracker/process internal/descriptor", specOnly},
	// The core and the kernels are behind tracker: monitor does not see them. Its specs may
	// run the life of a runtime beside the core on the simulated kernel.
	{"monitor", "tracker/process tracker/trees tracker internal/detach internal/erase", "internal/core internal/descriptor" + specOnly},
	{"cmd/monitor", "tracker/process tracker/trees tracker internal/detach monitor", "internal/descriptor" + specOnly},

	// The harness drives a monitor from outside and imports nothing of monitor or tracker.
	// Its puppet lists its descriptors as the product does.
	{"harness/internal/wire", "", ""},
	{"harness", "harness/internal/wire", "internal/descriptor"},
	{"harness/property", "", ""},
	{"harness/play", "", "harness/property"},
	{"harness/puppet", "harness/internal/wire internal/descriptor", ""},

	// What is for specs and measurements only.
	{"internal/room", "", ""},
	{"internal/testproc", "tracker/process internal/core internal/descriptor internal/room", ""},
	{"internal/rehearsal", "tracker/process tracker/trees internal/core", ""},
	{"internal/simkernel", "tracker/process internal/core internal/rehearsal", specOnly},
	{"internal/conformance", "tracker/process internal/core internal/testproc", specOnly},
	// The plays of the scenarios are tried in every order too.
	{"internal/explore", "tracker/process tracker/trees internal/core internal/simkernel", "harness/play harness/property" + specOnly},
	{"internal/portable", "", ""},
	{"internal/portable/lint", "internal/portable", ""},
	{"internal/bench", "tracker/process tracker internal/room", ""},

	// The scenarios see a monitor through its command line, and only that.
	{"scenarios/internal/monitors", "harness", ""},
	{"scenarios", "", "harness harness/play scenarios/internal/monitors internal/descriptor internal/room"},
	{"scenarios/judge", "scenarios/internal/monitors", ""},
	// An exception: a wrong monitor is ours with one fault, so it has our tracker.
	{"scenarios/mutant", "tracker/process tracker", ""},
}

var systems = []string{"linux", "darwin", "windows"}

func main() {
	wrong := checkTable()
	arrows, seen := 0, make(map[string]bool)
	for _, system := range systems {
		for _, p := range packagesOf(system) {
			seen[p.path] = true
			found, n := p.check()
			wrong, arrows = append(wrong, found...), arrows+n
		}
	}
	for _, l := range layers {
		if !seen[l.path] {
			wrong = append(wrong, fmt.Sprintf("%s is in the table, but does not exist", l.path))
		}
	}
	slices.Sort(wrong)
	for _, line := range slices.Compact(wrong) {
		fmt.Println("layers:", line)
	}
	if len(wrong) > 0 {
		os.Exit(1)
	}
	fmt.Printf("layers: checked %d packages and %d arrows on %d systems\n", len(seen), arrows, len(systems))
}

// checkTable checks that each line allows only packages of earlier lines to product files,
// so that there is no circle, and only packages of the table to specs.
func checkTable() (wrong []string) {
	for i, l := range layers {
		for _, to := range strings.Fields(l.imports) {
			if at := indexOf(to); at < 0 || at >= i {
				wrong = append(wrong, fmt.Sprintf("the table lets %s import %s, which is not below it", l.path, to))
			}
		}
		for _, to := range strings.Fields(l.specs) {
			if indexOf(to) < 0 {
				wrong = append(wrong, fmt.Sprintf("the table lets specs of %s import %s, which is not in it", l.path, to))
			}
		}
	}
	return wrong
}

func indexOf(path string) int {
	return slices.IndexFunc(layers, func(l layer) bool { return l.path == path })
}

// A listed package has its imports as go list has them.
type listed struct {
	path           string
	imports, specs []string // those of the module
}

// packagesOf returns the packages of the module on a system.
func packagesOf(system string) (all []listed) {
	const form = `{{.ImportPath}}|{{join .Imports " "}}|{{join .TestImports " "}} {{join .XTestImports " "}}`
	list := exec.Command("go", "list", "-e", "-f", form, "./...")
	list.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0")
	list.Stderr = os.Stderr
	text, err := list.Output()
	if err != nil {
		fmt.Fprintln(os.Stderr, "layers: go list:", err)
		os.Exit(2)
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSpace(line), "|")
		all = append(all, listed{strings.TrimPrefix(fields[0], module), ours(fields[1]), ours(fields[2])})
	}
	return all
}

// ours returns the packages of the module among some import paths, without its path.
func ours(paths string) (own []string) {
	for _, path := range strings.Fields(paths) {
		if name, ok := strings.CutPrefix(path, module); ok {
			own = append(own, name)
		}
	}
	return own
}

// check returns the arrows of a package that are not allowed, and how many it has.
func (p listed) check() (wrong []string, arrows int) {
	at := indexOf(p.path)
	if at < 0 {
		return []string{p.path + " is not in the table of .ci/layers.go: add a line that says what it may import"}, 0
	}
	imports := strings.Fields(layers[at].imports)
	for _, to := range p.imports {
		if !slices.Contains(imports, to) {
			wrong = append(wrong, fmt.Sprintf("%s imports %s", p.path, to))
		}
	}
	specs := append(strings.Fields(layers[at].specs), append(imports, p.path)...)
	for _, to := range p.specs {
		if !slices.Contains(specs, to) {
			wrong = append(wrong, fmt.Sprintf("specs of %s import %s", p.path, to))
		}
	}
	return wrong, len(p.imports) + len(p.specs)
}

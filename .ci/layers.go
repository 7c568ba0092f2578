// Layers checks that no package imports one that is above it, in all modules of the
// repository but those of the measurements and the examples, which examples/layerfs is one of.
//
//	go run .ci/layers.go    prints the arrows that are not allowed and exits with 1, or prints counts
//
// It reads the imports of all packages and their specs on each system that their module
// is built for. CONTRIBUTING.md has the layers in words.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

const prefix = "github.com/gemini-monitor/gemini/"

// A module is one of the repository, with those whose packages it may import.
type module struct {
	dir, sees string
	systems   []string
}

var (
	all  = []string{"linux", "darwin", "windows"}
	unix = []string{"linux", "darwin"}
)

// modules has each module that layers has packages of. The product imports nothing of the
// harness, and the harness nothing of the product.
var modules = []module{
	{".", "", all},
	{"cmd/monitor-metrics", ".", all},
	{"harness", "", unix},
	{"harness/specs", ". harness", unix},
	{"scenarios", ". harness", unix},
}

// A layer is a package with what it may import of the repository.
type layer struct {
	path    string
	imports string // by its product files: packages of earlier lines only
	specs   string // by its specs, beside the above and the package itself
}

// specOnly are the packages that only specs use. They come after all that is product, so
// no product package can import them.
const specOnly = " internal/testproc internal/rehearsal internal/simkernel internal/conformance internal/explore"

// layers has each package, from the ground up.
var layers = []layer{
	// The product: process <- trees <- core <- kernel <- tracker <- monitor <- the command.
	{"tracker/process", "", specOnly},
	{"tracker/trees", "tracker/process", specOnly},
	{"internal/pidtable", "", "internal/property"},
	{"internal/core", "tracker/process tracker/trees internal/pidtable", specOnly},
	{"internal/mark", "", ""},
	{"internal/kernel", "tracker/process tracker/trees internal/core internal/mark", specOnly},
	{"tracker", "tracker/process tracker/trees internal/core internal/mark internal/kernel", specOnly},
	{"tracker/router", "tracker/process tracker/trees tracker internal/pidtable", specOnly},
	{"internal/descriptor", "", ""},
	{"internal/flock", "", ""},
	{"internal/latelog", "", ""},
	{"internal/mount", "", ""},
	{"internal/erase", "internal/mount", ""},
	{"internal/sigmask", "", ""},
	{"internal/origin", "internal/sigmask", ""},
	{"internal/standin", "tracker/process internal/descriptor internal/origin internal/sigmask", specOnly},
	{"internal/unixsocket", "tracker/process", specOnly},
	{"internal/plainjson", "", ""},
	{"internal/varlink", "internal/plainjson", "internal/unixsocket" + specOnly},
	{"internal/vigil", "", ""},
	{"internal/detach", "tracker/process internal/descriptor internal/sigmask", specOnly},
	// The core and the kernels are behind tracker: monitor does not see them. Its specs may
	// run the life of a runtime beside the core on the simulated kernel.
	{"monitor", "tracker/process tracker/trees tracker internal/descriptor internal/detach internal/flock internal/mount internal/erase internal/origin internal/mark internal/plainjson internal/vigil", "internal/core" + specOnly},
	{"monitor/resident", "tracker/process tracker tracker/router monitor internal/detach internal/flock internal/plainjson internal/unixsocket internal/varlink internal/vigil", "internal/descriptor" + specOnly},
	{"internal/checkup", "tracker/process tracker internal/mark internal/mount internal/unixsocket monitor monitor/resident", "tracker/trees" + specOnly},
	{"cmd/monitor", "tracker/process tracker/trees tracker internal/detach internal/latelog internal/origin internal/standin internal/checkup monitor monitor/resident", "internal/descriptor" + specOnly},
	{"cmd/monitor-metrics", "tracker tracker/process monitor monitor/resident", specOnly},

	// The harness drives programs from outside and imports nothing of the product.
	// A program of the harness is the tests, a puppet or a warden.
	{"harness/internal/descriptor", "", ""},
	{"harness/internal/wire", "", ""},
	{"harness/internal/table", "", ""},
	{"harness/internal/screen", "", ""},
	{"harness/internal/terminal", "", ""},
	{"harness/internal/puppet", "harness/internal/wire harness/internal/descriptor", ""},
	{"harness/internal/scratch", "", ""},
	{"harness/internal/warden", "harness/internal/wire harness/internal/table harness/internal/scratch", ""},
	{"harness/internal/role", "harness/internal/wire harness/internal/puppet harness/internal/warden", ""},
	{"harness", "harness/internal/wire harness/internal/table harness/internal/screen harness/internal/terminal harness/internal/scratch harness/internal/warden harness/internal/role", ""},
	{"harness/play", "harness", ""},
	{"harness/puppet", "harness/internal/role", ""},
	{"harness/specs", "", "harness harness/internal/wire harness/internal/table harness/internal/terminal internal/descriptor"},
	{"harness/specs/terminal", "", "harness/internal/terminal harness/internal/screen internal/descriptor"},
	{"harness/specs/screen", "", "harness/internal/screen"},
	{"harness/specs/report", "", "harness"},
	{"harness/specs/play", "", "harness harness/play internal/property"},

	// What is for specs and measurements only.
	{"internal/room", "", ""},
	{"internal/property", "", ""},
	{"internal/testproc", "tracker/process internal/core internal/descriptor internal/room internal/mark", ""},
	{"internal/rehearsal", "tracker/process tracker/trees internal/core", ""},
	{"internal/simkernel", "tracker/process internal/core internal/rehearsal", specOnly},
	{"internal/conformance", "tracker/process internal/core internal/testproc", specOnly},
	{"internal/explore", "tracker/process tracker/trees internal/core internal/simkernel", "internal/property" + specOnly},
	{"internal/portable", "", ""},
	{"internal/progress", "", ""},
	{"internal/portable/lint", "internal/portable", ""},
	{"internal/bench", "tracker/process tracker tracker/router monitor monitor/resident internal/room", ""},
	{"examples", "", ""},

	// The scenarios see a monitor through its command line, and only that.
	{"scenarios/internal/monitors", "harness", ""},
	{"scenarios", "", "harness harness/play scenarios/internal/monitors internal/descriptor internal/room"},
	// Their plays are tried in every order too, on the simulated kernel.
	{"scenarios/explore", "", "harness/play tracker/process internal/explore internal/simkernel"},
	{"scenarios/judge", "scenarios/internal/monitors", ""},
	// An exception: a wrong monitor is ours with one fault, so it has our tracker.
	{"scenarios/mutant", "tracker/process tracker internal/erase internal/unixsocket", ""},
}

func main() {
	wrong := checkTable()
	arrows, seen := 0, make(map[string]bool)
	for _, m := range modules {
		for _, system := range m.systems {
			for _, p := range m.packages(system) {
				seen[p.path] = true
				found, n := p.check()
				wrong, arrows = append(wrong, found...), arrows+n
			}
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
	fmt.Printf("layers: checked %d packages and %d arrows in %d modules\n", len(seen), arrows, len(modules))
}

// checkTable checks that each line allows only packages of earlier lines to product files,
// so that there is no circle, only packages of the table to specs, and only packages of
// modules that its own one sees.
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
		own := moduleOf(l.path)
		for _, to := range strings.Fields(l.imports + " " + l.specs) {
			if m := moduleOf(to); m.dir != own.dir && !slices.Contains(strings.Fields(own.sees), m.dir) {
				wrong = append(wrong, fmt.Sprintf("the table lets %s import %s, and module %s may not import module %s", l.path, to, own.dir, m.dir))
			}
		}
	}
	return wrong
}

// moduleOf returns the module of a package: the one whose directory is nearest.
func moduleOf(path string) (nearest module) {
	for _, m := range modules {
		if m.dir == "." || path == m.dir || strings.HasPrefix(path, m.dir+"/") && len(m.dir) > len(nearest.dir) {
			nearest = m
		}
	}
	return nearest
}

func indexOf(path string) int {
	return slices.IndexFunc(layers, func(l layer) bool { return l.path == path })
}

// A listed package has its imports as go list has them.
type listed struct {
	path           string
	imports, specs []string // those of the repository
}

// packages returns the packages of the module on a system.
func (m module) packages(system string) (all []listed) {
	const form = `{{.ImportPath}}|{{join .Imports " "}}|{{join .TestImports " "}} {{join .XTestImports " "}}`
	list := exec.Command("go", "list", "-e", "-f", form, "./...")
	list.Dir = m.dir
	list.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0")
	list.Stderr = os.Stderr
	text, err := list.Output()
	if err != nil {
		fmt.Fprintf(os.Stderr, "layers: go list in %s: %v\n", m.dir, err)
		os.Exit(2)
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSpace(line), "|")
		all = append(all, listed{strings.TrimPrefix(fields[0], prefix), ours(fields[1]), ours(fields[2])})
	}
	return all
}

// ours returns the packages of the repository among some import paths, as directories.
func ours(paths string) (own []string) {
	for _, path := range strings.Fields(paths) {
		if name, ok := strings.CutPrefix(path, prefix); ok {
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

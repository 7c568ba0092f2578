// Where derives from the labels of the specs which spec runs where, and compares that
// with the specs that ran.
//
//	go run .ci/where.go -write docs/specs.md root=out/report.json emulated=out/darwin/report.json
//	go run .ci/where.go docs/specs.md root=out/report.json root=out/explore/report.json ...
//
// Each report is Ginkgo's report of one place. With -write, reports of dry runs are
// enough: they have the labels of all specs. The exit status is 1 if a spec was skipped
// that runs there by its labels, or if one ran that does not. It is also 1 if reports of
// Linux and of the macOS build are given, which together have all specs, and the page
// differs from what their labels make of it.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2/types"
)

// A place is where specs run.
type place struct{ key, title, what string }

var places = []place{
	{"root", "Linux, root", "the gate as root: proc connector, namespaces, other users"},
	{"user", "Linux, user", "the gate's step `as a user`, kernel 6.6 or later: proc connector, no namespaces"},
	{"container", "container", "root in a PID namespace, without the proc connector; the job `container`"},
	{"emulated", "macOS emulated", "the gate's step `macOS build`, as root"},
	{"mac", "Mac", "the job `macos`, as a user"},
}

// A need is what a spec with a label needs from a place.
type need struct {
	label, why string
	not        []string // places that do not have it
	perhaps    []string // places that may not have it: there the spec finds out first
}

var needs = []need{
	{"linux", "it shows what only Linux does", []string{"emulated", "mac"}, nil},
	{"macos", "it shows what only macOS does", []string{"root", "user", "container"}, nil},
	{"explore", "it computes, and is the same everywhere: `make explore` runs it once", []string{"user", "container", "emulated"}, nil},
	{"pure", "it computes, and is the same everywhere: `make test` runs it", []string{"user", "emulated"}, nil},
	{"stress", "it takes long: `make soak` runs it at night", []string{"root", "user", "container", "emulated", "mac"}, nil},
	{"long", "it takes long: `make explore EXPLORE=explore` runs it at night", []string{"root", "user", "container", "emulated", "mac"}, nil},
	{"root", "it takes root to become another user, or to have files of one", []string{"user", "mac"}, nil},
	{"no-root", "root is not kept from writing", []string{"root", "container", "emulated"}, nil},
	{"native", "the runner of the macOS build needs descriptors, arguments and time itself", []string{"emulated"}, nil},
	{"namespaces", "it makes namespaces, or mounts", []string{"user", "emulated", "mac"}, []string{"container"}},
	{"fuse", "it mounts with FUSE", []string{"emulated", "mac"}, []string{"root", "user", "container"}},
	{"mounts", "it mounts something in a mount namespace", []string{"user", "mac"}, []string{"container"}},
	{"immutable", "files have to be made that their owner cannot delete", []string{"user"}, []string{"container", "emulated", "mac"}},
	{"initial-namespaces", "all processes of the machine have to be visible", []string{"user", "container", "emulated", "mac"}, nil},
	{"cgroup", "it makes cgroups", []string{"user", "mac"}, []string{"root", "container", "emulated"}},
	{"connector", "the proc connector has to name forks", []string{"container", "emulated", "mac"}, []string{"user"}},
	{"forks", "forks have to be announced, which pidfds do not do", nil, []string{"root", "user", "container"}},
	{"named-forks", "fork notices need the PID of the child, or the kernel the parent of an orphan", nil, []string{"root", "user", "container", "emulated", "mac"}},
	{"lineage", "the kernel has to keep the parent of an orphan, as XNU does", nil, []string{"root", "user", "container", "emulated", "mac"}},
	{"some-kernels", "it is a fact of some kernels and mechanisms (docs/xnu.md, docs/linux.md)", nil, []string{"root", "user", "container", "emulated", "mac"}},
	{"reuse", "PIDs have to be used again at will", nil, []string{"root", "user", "container", "emulated", "mac"}},
	{"read-only", "there has to be a read-only file system, or one can be made", nil, []string{"user", "container"}},
	{"holders", "the files of all processes have to be seen: by root, and on macOS by lsof(8)", []string{"user"}, []string{"emulated", "mac"}},
	{"trace", "one process has to be allowed to debug another", nil, []string{"user", "container", "emulated", "mac"}},
	{"ignores-case", "the file system has to ignore case: APFS does", []string{"root", "user", "container", "emulated"}, nil},
	{"shell:zsh", "zsh is not everywhere", nil, []string{"container"}},
	{"shell:fish", "fish is not everywhere", nil, []string{"root", "user", "container", "emulated", "mac"}},
	{"sources", "it reads or builds sources beside it", nil, []string{"user", "emulated"}},
	{"asciinema", "asciinema has to be installed", nil, []string{"root", "user", "container", "emulated", "mac"}},
	{"chromium", "a browser and the npm package speedscope (HARNESS_SPEEDSCOPE) have to be there", nil, []string{"root", "user", "container", "emulated", "mac"}},
}

// A spec is one spec with its labels.
type spec struct {
	suite, text string
	labels      []string
}

func main() {
	write := flag.Bool("write", false, "write the page instead of comparing it")
	flag.Parse()
	if err := run(flag.Args(), *write); err != nil {
		fmt.Fprintln(os.Stderr, "where:", err)
		os.Exit(1)
	}
}

func run(args []string, write bool) error {
	if len(args) < 2 {
		return fmt.Errorf("usage: where [-write] PAGE PLACE=REPORT...")
	}
	specs := map[string]spec{}
	happened := map[string]map[string]outcome{} // by place and spec
	for _, arg := range args[1:] {
		key, file, _ := strings.Cut(arg, "=")
		if !slices.ContainsFunc(places, func(p place) bool { return p.key == key }) {
			return fmt.Errorf("no such place: %q", key)
		}
		if happened[key] == nil {
			happened[key] = map[string]outcome{}
		}
		if err := read(file, specs, happened[key]); err != nil {
			return err
		}
	}
	page := pageOf(slices.Collect(maps.Values(specs)))
	if write {
		return os.WriteFile(args[0], []byte(page), 0o644)
	}
	if wrong := unexplained(specs, happened); len(wrong) > 0 {
		return fmt.Errorf("labels and reports differ:\n%s", strings.Join(wrong, "\n"))
	}
	if happened["root"] == nil || happened["emulated"] == nil {
		return nil
	}
	there, err := os.ReadFile(args[0])
	if err == nil && string(there) != page {
		err = fmt.Errorf("%s is out of date: make specs-page", args[0])
	}
	return err
}

// An outcome is what a spec did at a place. A higher one replaces a lower one.
type outcome int

const (
	leftOut outcome = iota // by a filter
	skipped                // by itself, for a reason
	ran
)

// read adds the specs of a report and their outcomes. A place may have several reports: a
// spec that one leaves out may have run in another.
func read(file string, specs map[string]spec, happened map[string]outcome) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var reports []types.Report
	if err := json.Unmarshal(text, &reports); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for _, report := range reports {
		for _, r := range report.SpecReports {
			if r.LeafNodeType != types.NodeTypeIt {
				continue
			}
			s := spec{report.SuiteDescription, r.FullText(), slices.Concat(report.SuiteLabels, r.Labels())}
			specs[s.id()] = s
			became := ran
			if r.State == types.SpecStateSkipped {
				became = leftOut
				if r.Failure.Message != "" {
					became = skipped
				}
			}
			happened[s.id()] = max(happened[s.id()], became)
		}
	}
	return nil
}

func (s spec) id() string { return s.suite + ": " + s.text }

// unexplained returns the outcomes that differ from the labels.
func unexplained(specs map[string]spec, happened map[string]map[string]outcome) (wrong []string) {
	for _, p := range places {
		for _, id := range slices.Sorted(maps.Keys(happened[p.key])) {
			expected, became := specs[id].at(p.key), happened[p.key][id]
			switch {
			case expected == no && became == ran:
				wrong = append(wrong, fmt.Sprintf("%s: %s ran, labels %v", p.title, id, specs[id].labels))
			case expected == yes && became != ran, expected == perhaps && became == leftOut:
				wrong = append(wrong, fmt.Sprintf("%s: %s was skipped, labels %v", p.title, id, specs[id].labels))
			}
		}
	}
	return wrong
}

const (
	yes     = "yes"
	no      = "–"
	perhaps = "asks"
)

// at returns whether the spec runs at a place.
func (s spec) at(key string) string {
	expected := yes
	for _, n := range needs {
		if !slices.Contains(s.labels, n.label) {
			continue
		}
		if slices.Contains(n.not, key) {
			return no
		}
		if slices.Contains(n.perhaps, key) {
			expected = perhaps
		}
	}
	return expected
}

func pageOf(specs []spec) string {
	slices.SortFunc(specs, func(a, b spec) int {
		return strings.Compare(a.id(), b.id())
	})
	var page strings.Builder
	fmt.Fprintln(&page, "# What runs where")
	fmt.Fprintf(&page, "\n`make specs-page` makes this page from the labels of the specs. `.ci/run` fails if the\npage is out of date, and if a spec was skipped that runs there by its labels. The places:\n\n")
	fmt.Fprintln(&page, "| place | what it is |\n|---|---|")
	for _, p := range places {
		fmt.Fprintf(&page, "| %s | %s |\n", p.title, p.what)
	}
	counts(&page, specs)
	fmt.Fprintf(&page, "\n## Gaps\n\nSpecs without one of these labels run everywhere. *asks*: the spec tries whether it can run. If\nit cannot, its report has the reason.\n\n")
	fmt.Fprintln(&page, "| label | specs |"+titles()+" because |\n|---|---|"+strings.Repeat("---|", len(places)+1))
	for _, n := range needs {
		count := 0
		for _, s := range specs {
			if slices.Contains(s.labels, n.label) {
				count++
			}
		}
		if count > 0 {
			only := spec{labels: []string{n.label}}
			fmt.Fprintf(&page, "| `%s` | %d |%s %s |\n", n.label, count, only.row(), n.why)
		}
	}
	fmt.Fprintf(&page, "\n## Spec by spec\n\nEach spec with a gap, but those labelled `explore`, `pure` or `stress` alone.\n")
	suite := ""
	for _, s := range specs {
		if !s.gap() {
			continue
		}
		if s.suite != suite {
			suite = s.suite
			fmt.Fprintf(&page, "\n### %s\n\n| spec |%s labels |\n|---|%s\n", suite, titles(), strings.Repeat("---|", len(places)+1))
		}
		fmt.Fprintf(&page, "| %s |%s %s |\n", strings.ReplaceAll(s.text, "|", "\\|"), s.row(), strings.Join(s.known(), ", "))
	}
	return page.String()
}

func counts(page *strings.Builder, specs []spec) {
	fmt.Fprintf(page, "\n| suite |%s\n|---|%s\n", titles(), strings.Repeat("---|", len(places)))
	suites := map[string][]spec{}
	for _, s := range specs {
		suites[s.suite] = append(suites[s.suite], s)
	}
	for _, name := range slices.Sorted(maps.Keys(suites)) {
		fmt.Fprintf(page, "| %s |", name)
		for _, p := range places {
			run, ask := 0, 0
			for _, s := range suites[name] {
				switch s.at(p.key) {
				case yes:
					run++
				case perhaps:
					ask++
				}
			}
			text := fmt.Sprintf("%d of %d", run+ask, len(suites[name]))
			if ask > 0 {
				text += fmt.Sprintf(", %d ask", ask)
			}
			fmt.Fprintf(page, " %s |", text)
		}
		fmt.Fprintln(page)
	}
}

func titles() string {
	text := ""
	for _, p := range places {
		text += " " + p.title + " |"
	}
	return text
}

func (s spec) row() string {
	text := ""
	for _, p := range places {
		text += " " + s.at(p.key) + " |"
	}
	return text
}

// known returns the labels of the spec that are needs.
func (s spec) known() (labels []string) {
	for _, n := range needs {
		if slices.Contains(s.labels, n.label) {
			labels = append(labels, "`"+n.label+"`")
		}
	}
	return labels
}

// gap reports whether the spec does not run, or asks, at one of the places.
func (s spec) gap() bool {
	known := s.known()
	return len(known) > 1 || len(known) == 1 && !slices.Contains([]string{"`explore`", "`pure`", "`stress`"}, known[0])
}

// Docs checks the documentation against the repository: links, anchors, make
// targets, commands and their flags, paths, exported names and the numbers of kernel facts.
//
//	go run .ci/docs.go    prints what is wrong and exits with 1, or prints counts
package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// readmeLines is the maximal number of lines of the README.
const readmeLines = 200

var (
	link     = regexp.MustCompile(`\[[^\]]*\]\(([^)\s]+)\)`)
	span     = regexp.MustCompile("`([^`]+)`")
	target   = regexp.MustCompile(`\bmake ([a-z][a-z-]*)`)
	monitor  = regexp.MustCompile(`(?:^|[\s(;&])monitor ([a-z]+|-)([^;&)]*)`)
	flag     = regexp.MustCompile(`(?:^|[\s\[|])(--?[a-z][a-z-]*)`)
	heading  = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	fact     = regexp.MustCompile(`(?m)^- \*\*([A-Z]+\d+)\.\*\*`)
	citation = regexp.MustCompile(`docs/(xnu|linux)\.md ((?:[A-Z]\d+(?:, | and | to )?)+)`)
	number   = regexp.MustCompile(`[A-Z]\d+`)
	path     = regexp.MustCompile(`^(?:cmd|demo|docs|harness|internal|monitor|scenarios|tracker|\.ci)/[\w./*-]*$`)
	name     = regexp.MustCompile(`\b(tracker|process|trees|monitor|harness)\.([A-Z]\w*)(?:\.([A-Z]\w*))?`)
	notAnID  = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// A checker collects what is wrong, and counts what it has checked.
type checker struct {
	pages  map[string]string // text by path
	wrong  []string
	counts map[string]int
}

func main() {
	c := &checker{pages: make(map[string]string), counts: make(map[string]int)}
	found, _ := filepath.Glob("docs/*.md")
	own, _ := filepath.Glob("harness/README.md")
	found = append(found, own...)
	for _, page := range append(found, "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md") {
		text, err := os.ReadFile(page)
		c.must(err)
		c.pages[page] = string(text)
	}
	c.checkReadme()
	c.checkLinks()
	c.checkTargets()
	c.checkCommands()
	c.checkPaths()
	c.checkNames()
	c.checkFacts()
	c.checkDrawing()
	c.checkInterface()
	for _, kind := range []string{"links", "targets", "commands", "flags", "paths", "names", "facts"} {
		if c.counts[kind] == 0 {
			c.report("no %s were found: the check itself is broken", kind)
		}
	}
	for _, line := range c.wrong {
		fmt.Println("docs:", line)
	}
	if len(c.wrong) > 0 {
		os.Exit(1)
	}
	fmt.Println("docs: checked", c.counts)
}

func (c *checker) report(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

func (c *checker) must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
}

// checkReadme checks its length, and that it links to every page of docs/.
func (c *checker) checkReadme() {
	readme := c.pages["README.md"]
	if lines := strings.Count(readme, "\n"); lines > readmeLines {
		c.report("README.md has %d lines, more than %d", lines, readmeLines)
	}
	for page := range c.pages {
		if page != "README.md" && !strings.Contains(readme, "]("+page) {
			c.report("README.md has no link to %s", page)
		}
	}
}

// checkLinks checks that the file and the heading of each relative link exist.
func (c *checker) checkLinks() {
	for page, text := range c.pages {
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			c.counts["links"]++
			path, anchor, _ := strings.Cut(found[1], "#")
			file := page
			if path != "" {
				file = filepath.Join(filepath.Dir(page), path)
			}
			if _, err := os.Stat(file); err != nil {
				c.report("%s links to %s, which does not exist", page, found[1])
			} else if anchor != "" && !slices.Contains(anchors(c.pages[file]), anchor) {
				c.report("%s links to %s, which has no such heading", page, found[1])
			}
		}
	}
}

// anchors returns the ids that GitHub gives to the headings of a page.
func anchors(text string) (ids []string) {
	for _, found := range heading.FindAllStringSubmatch(text, -1) {
		plain := notAnID.ReplaceAllString(strings.ToLower(found[1]), "")
		ids = append(ids, strings.ReplaceAll(plain, " ", "-"))
	}
	return ids
}

// checkTargets checks that each "make TARGET" in code is in the Makefile.
func (c *checker) checkTargets() {
	makefile, err := os.ReadFile("Makefile")
	c.must(err)
	for page, text := range c.pages {
		for _, code := range codeOf(text) {
			for _, found := range target.FindAllStringSubmatch(code, -1) {
				c.counts["targets"]++
				if !strings.Contains(string(makefile), "\n"+found[1]+":") {
					c.report("%s names `make %s`, which the Makefile does not have", page, found[1])
				}
			}
		}
	}
}

// checkCommands checks that each "monitor COMMAND --flag" in code exists, by
// the help of the program itself.
func (c *checker) checkCommands() {
	dir, err := os.MkdirTemp("", "docs-")
	c.must(err)
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "monitor")
	out, err := exec.Command("go", "build", "-o", program, "./cmd/monitor").CombinedOutput()
	if err != nil {
		c.must(fmt.Errorf("build ./cmd/monitor: %w: %s", err, out))
	}
	help := func(words ...string) string {
		text, err := exec.Command(program, append([]string{"help"}, words...)...).Output()
		c.must(err)
		return string(text)
	}
	_, listed, _ := strings.Cut(help(), "Available Commands:")
	for page, text := range c.pages {
		for _, code := range codeOf(text) {
			for _, found := range monitor.FindAllStringSubmatch(code, -1) {
				c.checkCommand(page, listed, help, found[1], found[2])
			}
		}
	}
}

// checkCommand checks one mention. Words after "--" belong to another program.
func (c *checker) checkCommand(page, listed string, help func(...string) string, name, rest string) {
	c.counts["commands"]++
	words := []string{name}
	if name == "-" { // a flag of monitor itself
		words, rest = nil, " -"+rest
	} else if !strings.Contains(listed, "\n  "+name+" ") {
		c.report("%s names `monitor %s`, which does not exist", page, name)
		return
	}
	rest, _, _ = strings.Cut(rest, " -- ")
	rest, _, _ = strings.Cut(rest, " # ")
	rest, _, _ = strings.Cut(rest, " | head")
	for _, found := range flag.FindAllStringSubmatch(rest, -1) {
		c.counts["flags"]++
		known := regexp.MustCompile(`(?m)(^|[\s,])` + regexp.QuoteMeta(found[1]) + `([\s,]|$)`)
		if !known.MatchString(help(words...)) {
			c.report("%s names `monitor %s %s`, a flag that does not exist", page, name, found[1])
		}
	}
}

// elsewhere are paths of other projects, and tags, that begin like a path of this one.
var elsewhere = []string{"internal/poll/fd_fsync_darwin.go", "harness/vX.Y.Z"}

// checkPaths checks that each path in code exists: between backquotes, and the first word
// of a line of a layout. GOOS stands for any system.
func (c *checker) checkPaths() {
	for page, text := range c.pages {
		for _, code := range codeOf(text) {
			word, _, _ := strings.Cut(strings.TrimSpace(code), " ")
			if !path.MatchString(word) || slices.Contains(elsewhere, word) {
				continue
			}
			c.counts["paths"]++
			if found, _ := filepath.Glob(strings.ReplaceAll(word, "GOOS", "*")); len(found) == 0 {
				c.report("%s names %s, which does not exist", page, word)
			}
		}
	}
}

// checkNames checks that each exported name with its package in code exists, by go doc.
func (c *checker) checkNames() {
	dirs := map[string]string{"process": "tracker/process", "trees": "tracker/trees"}
	known := make(map[string]bool)
	for page, text := range c.pages {
		for _, code := range codeOf(text) {
			for _, found := range name.FindAllStringSubmatch(code, -1) {
				c.counts["names"]++
				dir, ok := dirs[found[1]]
				if !ok {
					dir = found[1]
				}
				symbol := strings.TrimSuffix(found[2]+"."+found[3], ".")
				doc := exec.Command("go", "doc", ".", symbol)
				doc.Dir = dir // the package may be of any module of the repository
				if !known[dir+symbol] && doc.Run() != nil {
					c.report("%s names %s, which does not exist", page, found[0])
				}
				known[dir+symbol] = true
			}
		}
	}
}

// checkDrawing compares the drawing of a runtime's life with the one that the specs hold
// against the machine.
func (c *checker) checkDrawing() {
	drawing, err := os.ReadFile("monitor/life.mmd")
	c.must(err)
	if !strings.Contains(c.pages["docs/life.md"], "```mermaid\n"+string(drawing)+"```") {
		c.report("docs/life.md: the drawing is not that of monitor/life.mmd")
	}
}

// checkInterface compares the interface of the resident monitor with what it returns itself.
func (c *checker) checkInterface() {
	source, err := os.ReadFile("monitor/resident/methods.go")
	c.must(err)
	_, text, _ := strings.Cut(string(source), "const description = `")
	text, _, found := strings.Cut(text, "`\n\n//")
	text = strings.ReplaceAll(text, "` + interfaceName + `", "io.github.gemini-monitor")
	if !found || !strings.Contains(c.pages["docs/resident.md"], "```varlink\n"+text+"```") {
		c.report("docs/resident.md: the interface is not that of monitor/resident/methods.go")
	}
}

// checkFacts checks that no fact has the number of another, and that each one
// that a page of docs/ or a comment cites exists.
func (c *checker) checkFacts() {
	known := make(map[string]bool)
	for _, name := range []string{"xnu", "linux"} {
		for _, found := range fact.FindAllStringSubmatch(c.pages["docs/"+name+".md"], -1) {
			c.counts["facts"]++
			if known[name+found[1]] {
				c.report("docs/%s.md has %s twice", name, found[1])
			}
			known[name+found[1]] = true
		}
	}
	c.must(filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || path == ".git" || path == "out" || path == "bin":
			if d != nil && d.IsDir() && err == nil {
				return fs.SkipDir
			}
			return err
		case d.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		text, err := os.ReadFile(path)
		for _, found := range citation.FindAllStringSubmatch(string(text), -1) {
			for _, n := range number.FindAllString(found[2], -1) {
				if c.counts["citations"]++; !known[found[1]+n] {
					c.report("%s cites %s of docs/%s.md, which does not exist", path, n, found[1])
				}
			}
		}
		return err
	}))
}

// codeOf returns the pieces of code of a page, line by line: fenced, indented
// by four spaces, or between backquotes.
func codeOf(text string) (code []string) {
	fenced := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "```"):
			fenced = !fenced
		case fenced || strings.HasPrefix(line, "    "):
			code = append(code, line)
		default:
			for _, found := range span.FindAllStringSubmatch(line, -1) {
				code = append(code, found[1])
			}
		}
	}
	return code
}

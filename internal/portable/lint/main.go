// Lint prints what fails on a Mac, or works differently there, in the scripts, the
// Makefile, the workflows and the Go strings of the repository in the working directory.
// It exits with 1 if it finds anything.
package main

import (
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/gemini-monitor/gemini/internal/portable"
)

// exceptions are lines that are right all the same, by file and by a part of their text.
var exceptions = []struct{ file, text, why string }{
	{"harness/profile.go", "PS0=", "a bash without PS0 keeps it as a variable, and a trap does its work"},
	{".ci/run", "/proc/self/ns/pid", "a Mac has no such file, and the result is right then"},
	{"monitor/sync.go", ".Sync()", "it is for the records of durable runtimes, which outlive the machine"},
	{"scenarios/foreign_test.go", "/proc/", "the spec is for Linux: cgroups"},
	{"scenarios/example/cgroup-monitor.sh", "", "it is for Linux: cgroups"},
}

func main() {
	found, scripts, err := check(os.DirFS("."))
	if err == nil && scripts < 50 {
		err = fmt.Errorf("only %d scripts were found: is this the root of the repository?", scripts)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "lint:", err)
		os.Exit(2)
	}
	for _, line := range found {
		fmt.Println(line)
	}
	if len(found) > 0 {
		os.Exit(1)
	}
}

// check returns what is wrong in the files of a tree, and how many scripts it has read.
func check(tree fs.FS) (found []string, scripts int, err error) {
	err = fs.WalkDir(tree, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (path == "out" || path == "bin" || path == ".git" || path == "internal/portable") {
			return fs.SkipDir
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		text, err := fs.ReadFile(tree, path)
		if err != nil {
			return err
		}
		findings, n, err := checkFile(path, string(text))
		scripts += n
		for _, f := range findings {
			if !excepted(path, f) {
				found = append(found, path+", "+f.String())
			}
		}
		return err
	})
	return found, scripts, err
}

func excepted(path string, f portable.Finding) bool {
	for _, e := range exceptions {
		if e.file == path && strings.Contains(f.Text, e.text) {
			return true
		}
	}
	return false
}

// checkFile returns what is wrong in a file, and how many scripts it has.
func checkFile(path, text string) (found []portable.Finding, scripts int, err error) {
	switch extension := filepath.Ext(path); {
	case path == "Makefile":
		return portable.Make(text), 1, nil
	case extension == ".go":
		return checkGo(path, text)
	case extension == ".sh", extension == ".yml", strings.HasPrefix(text, "#!"):
		return portable.Shell(text), 1, nil
	}
	return nil, 0, nil
}

// calls are the calls that Go code for macOS must not have, and the reasons.
var calls = map[string]string{
	`ReadDir("/dev/fd")`: "EBADF once Go polls: use internal/descriptor",
	`.Sync()`:            "F_FULLFSYNC on macOS: nothing in the store outlives the machine",
	`unix.Fsync(`:        "waits for the disk: nothing in the store outlives the machine",
}

func checkGo(path, text string) (found []portable.Finding, scripts int, err error) {
	if !forDarwin(path, text) {
		return nil, 0, nil
	}
	number := 0
	for line := range strings.Lines(text) {
		number++
		for call, reason := range calls {
			if strings.Contains(line, call) {
				found = append(found, portable.Finding{Line: number, Text: line, Reason: reason})
			}
		}
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, text, 0)
	if err != nil {
		return nil, 0, err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if script, err := strconv.Unquote(literal.Value); err == nil && looksLikeShell.MatchString(script) {
				scripts++
				for _, f := range portable.Shell(script) {
					f.Line += files.Position(literal.Pos()).Line - 1
					found = append(found, f)
				}
			}
		}
		return true
	})
	return found, scripts, nil
}

// looksLikeShell matches what is rare in a string that is not a script.
var looksLikeShell = regexp.MustCompile(`(?m)\b(read|exec|wait|echo|printf|sleep|export|trap|local|setopt|sh)\b.*[;&|<$]|[;&|] ?(read|exec|wait|echo|printf|sleep)\b|^PS[0124]=`)

// forDarwin reports whether a Go file is built for macOS.
func forDarwin(path, text string) bool {
	base := strings.TrimSuffix(strings.TrimSuffix(path, ".go"), "_test")
	if strings.HasSuffix(base, "_linux") || strings.HasSuffix(base, "_other") {
		return false
	}
	for line := range strings.Lines(text) {
		if expr, err := constraint.Parse(strings.TrimSpace(line)); err == nil {
			return expr.Eval(func(tag string) bool { return tag == "darwin" || tag == "unix" })
		}
	}
	return true
}

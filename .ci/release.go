// Release checks .goreleaser.yaml against the repository, without GoReleaser, which takes
// minutes to build: CI runs that beside the gate.
//
//	go run .ci/release.go STAGED OS/ARCH...    prints what is wrong and exits with 1, or prints counts
//
// The arguments are the directory that `make staged` fills and the systems of the
// Makefile. A key that keys does not have is reported, so that one that is misspelt is
// found. Add the new ones.
package main

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A config has the keys that .goreleaser.yaml uses.
type config struct {
	Version     int
	ProjectName string `yaml:"project_name"`
	Dist        string
	Git         struct {
		TagSort string `yaml:"tag_sort"`
	}
	Before struct{ Hooks []string }
	Builds []struct {
		ID, Main, Binary                  string
		Goos, Goarch, Env, Flags, Ldflags []string
		ModTimestamp                      string `yaml:"mod_timestamp"`
	}
	Archives []struct {
		ID           string
		Formats      []string
		NameTemplate string `yaml:"name_template"`
		Files        []struct {
			Src, Dst    string
			StripParent bool `yaml:"strip_parent"`
		}
	}
	Checksum struct {
		NameTemplate string `yaml:"name_template"`
		Algorithm    string
	}
	Nfpms []struct {
		ID                                                  string
		PackageName                                         string `yaml:"package_name"`
		FileNameTemplate                                    string `yaml:"file_name_template"`
		Formats                                             []string
		Maintainer, Homepage, Description, License, Section string
		Bindir, Mtime                                       string
		Contents                                            []struct{ Src, Dst, Packager string }
	}
	Casks []struct {
		Name, Description, Homepage, License string
		IDs                                  []string `yaml:"ids"`
		Binaries, Manpages                   []string
		Repository                           struct{ Owner, Name string }
		SkipUpload                           string `yaml:"skip_upload"`
		Completions                          struct{ Bash, Zsh, Fish string }
		Hooks                                struct{ Post struct{ Install string } }
	} `yaml:"homebrew_casks"`
	Release  struct{ Draft bool }
	Snapshot struct {
		VersionTemplate string `yaml:"version_template"`
	}
	Changelog struct{ Disable bool }
}

var wrong []string

func report(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }

func main() {
	staged, systems := os.Args[1], os.Args[2:]
	file, err := os.Open(".goreleaser.yaml")
	must(err)
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	var c config
	must(decoder.Decode(&c))

	binary := checkBuild(c, systems)
	archived := checkArchive(c, binary)
	checkCask(c, binary, archived)
	packaged := checkPackages(c, staged, binary)
	for _, line := range wrong {
		fmt.Println("release:", line)
	}
	if len(wrong) > 0 {
		os.Exit(1)
	}
	fmt.Printf("release: checked %d systems, %d files of an archive, %d files of a package\n",
		len(systems), len(archived), packaged)
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "release: .goreleaser.yaml:", err)
		os.Exit(1)
	}
}

// checkBuild checks the one build, and returns the name of its program.
func checkBuild(c config, systems []string) string {
	if len(c.Builds) != 1 || len(c.Archives) != 1 || len(c.Nfpms) != 1 || len(c.Casks) != 1 {
		must(fmt.Errorf("there has to be one build, archive, nfpm and cask; this check knows no others"))
	}
	build := c.Builds[0]
	var built []string
	for _, system := range build.Goos {
		for _, processor := range build.Goarch {
			built = append(built, system+"/"+processor)
		}
	}
	slices.Sort(built)
	if wanted := slices.Sorted(slices.Values(systems)); !slices.Equal(built, wanted) {
		report("it builds for %v, the Makefile for %v", built, wanted)
	}
	if !slices.Contains(build.Env, "CGO_ENABLED=0") {
		report("the build does not set CGO_ENABLED=0")
	}
	flags := strings.Fields(strings.Join(append(build.Flags, build.Ldflags...), " "))
	if len(build.Ldflags) == 0 || slices.Contains(flags, "-s") || slices.Contains(flags, "-w") {
		report("the build removes the symbols, without which monitor loses the signals of its caller")
	}
	if _, err := os.Stat(filepath.Join(build.Main, "main.go")); err != nil {
		report("the program: %v", err)
	}
	return build.Binary
}

// matches returns the files of a pattern. There has to be one.
func matches(pattern string) []string {
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		report("there is no file %s", pattern)
	}
	return found
}

// checkArchive returns the files of an archive.
func checkArchive(c config, binary string) []string {
	names := []string{binary}
	for _, file := range c.Archives[0].Files {
		for _, found := range matches(file.Src) {
			if file.StripParent {
				found = path.Base(found)
			}
			names = append(names, path.Join(file.Dst, found))
		}
	}
	return names
}

// checkCask checks that the archive has what the cask names.
func checkCask(c config, binary string, archived []string) {
	cask := c.Casks[0]
	named := append(slices.Clone(cask.Binaries), cask.Completions.Bash, cask.Completions.Zsh, cask.Completions.Fish)
	for _, name := range named {
		if !slices.Contains(archived, name) {
			report("the cask names %q, which the archive does not have", name)
		}
	}
	for _, pattern := range cask.Manpages {
		if !slices.ContainsFunc(archived, func(name string) bool { ok, _ := path.Match(pattern, name); return ok }) {
			report("the archive has no %s, which the cask names", pattern)
		}
	}
	if cask.SkipUpload != "true" {
		report("the cask is published")
	}
}

// elsewhere are files that a package has at another path than `make install`, below /usr:
// Debian's zsh reads other directories, and its packages have the licence in this file.
var elsewhere = map[string]string{
	"share/zsh/vendor-completions/_monitor": "share/zsh/site-functions/_monitor",
	"share/doc/gemini-monitor/copyright":    "share/doc/gemini-monitor/LICENSE",
}

// checkPackages checks that the packages have what `make install` installs, and returns how
// many files that are.
func checkPackages(c config, staged, binary string) int {
	installed := make(map[string]bool)
	must(filepath.WalkDir(staged, func(name string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, err = filepath.Rel(staged, name)
			installed[name] = true
		}
		return err
	}))
	for _, format := range c.Nfpms[0].Formats {
		packaged := map[string]bool{strings.TrimPrefix(path.Join(c.Nfpms[0].Bindir, binary), "/usr/"): true}
		for _, content := range c.Nfpms[0].Contents {
			if content.Packager != "" && content.Packager != format {
				continue
			}
			for _, found := range matches(content.Src) {
				name := content.Dst
				if strings.HasSuffix(name, "/") {
					name += path.Base(found)
				}
				name = strings.TrimPrefix(name, "/usr/")
				if other, ok := elsewhere[name]; ok {
					name = other
				}
				packaged[name] = true
			}
		}
		for name := range maps.Keys(installed) {
			if !packaged[name] {
				report("the %s has no %s, which make install installs", format, name)
			}
		}
		for name := range maps.Keys(packaged) {
			if !installed[name] {
				report("the %s has %s, which make install does not install", format, name)
			}
		}
	}
	slices.Sort(wrong)
	return len(installed)
}

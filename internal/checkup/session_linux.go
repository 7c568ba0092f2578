package checkup

import (
	"cmp"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// session returns whether the end of the log-in session of this process ends all that was
// started in it.
func session() Session {
	text, _ := os.ReadFile("/proc/self/cgroup")
	scope := filepath.Base(unit(string(text)))
	if !strings.HasPrefix(scope, "session-") || !strings.HasSuffix(scope, ".scope") {
		return Session{}
	}
	if _, err := os.Stat("/run/systemd/users"); err != nil {
		return Session{}
	}
	return Session{Kills: logindKills(os.DirFS("/"), os.Getuid() == 0), Unit: scope}
}

// configurations are where systemd looks for them, the most important one first
// (docs/linux.md L78).
var configurations = []string{"etc/systemd", "run/systemd", "usr/local/lib/systemd", "usr/lib/systemd"}

// logindKills reports whether systemd-logind is configured to end the processes of a session
// with it. Those of root it ends only if KillExcludeUsers does not name root, as it does by
// default.
func logindKills(root fs.FS, superuser bool) bool {
	kills, excluded := "no", "root"
	for _, text := range logindTexts(root) {
		for line := range strings.Lines(text) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			switch strings.TrimSpace(key) {
			case "KillUserProcesses":
				kills = cmp.Or(strings.TrimSpace(value), "no")
			case "KillExcludeUsers":
				excluded = strings.TrimSpace(value)
			}
		}
	}
	on := slices.Contains([]string{"yes", "true", "on", "1", "y", "t"}, strings.ToLower(kills))
	return on && !(superuser && slices.Contains(strings.Fields(excluded), "root"))
}

// logindTexts returns the main file, and then the drop-ins by their names. A file in an
// earlier directory hides those of its name in later ones.
func logindTexts(root fs.FS) (texts []string) {
	dropIns := make(map[string]string)
	for _, dir := range configurations {
		if text, err := fs.ReadFile(root, dir+"/logind.conf"); err == nil && len(texts) == 0 {
			texts = append(texts, string(text))
		}
		entries, _ := fs.ReadDir(root, dir+"/logind.conf.d")
		for _, e := range entries {
			if _, hidden := dropIns[e.Name()]; !hidden && strings.HasSuffix(e.Name(), ".conf") {
				text, _ := fs.ReadFile(root, dir+"/logind.conf.d/"+e.Name())
				dropIns[e.Name()] = string(text)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(dropIns)) {
		texts = append(texts, dropIns[name])
	}
	return texts
}

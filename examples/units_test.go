package examples

import (
	_ "embed"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

//go:embed systemd/monitor.service
var unit string

//go:embed launchd/io.github.gemini-monitor.plist
var agent string

// sections returns the settings of a unit file, by section and name.
func sections(text string) map[string]map[string]string {
	GinkgoHelper()
	all, now := make(map[string]map[string]string), ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			now = line
			all[now] = make(map[string]string)
		default:
			name, value, ok := strings.Cut(line, "=")
			Expect(ok).To(BeTrue(), "%q is no setting", line)
			Expect(all).To(HaveKey(now), "%q is in no section", line)
			Expect(all[now]).NotTo(HaveKey(name), "%q is the second setting of its name", line)
			all[now][name] = value
		}
	}
	return all
}

// plist returns the value of a property list: a dictionary is a map, an array a slice.
func plist(text string) any {
	GinkgoHelper()
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := d.Token()
		Expect(err).NotTo(HaveOccurred())
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "plist" {
			values, err := elements(d)
			Expect(err).NotTo(HaveOccurred())
			Expect(values).To(HaveLen(1))
			_, err = d.Token()
			for err == nil { // white space
				_, err = d.Token()
			}
			Expect(err).To(Equal(io.EOF))
			return values[0]
		}
	}
}

// key is the name of a value of a dictionary.
type key string

// elements reads what is in an element, to its end.
func elements(d *xml.Decoder) (all []any, err error) {
	for {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.EndElement:
			return all, nil
		case xml.StartElement:
			value, err := element(d, token)
			if err != nil {
				return nil, err
			}
			all = append(all, value)
		}
	}
}

func element(d *xml.Decoder, start xml.StartElement) (value any, err error) {
	switch kind := start.Name.Local; kind {
	case "key", "string":
		var text string
		err = d.DecodeElement(&text, &start)
		if kind == "key" {
			return key(text), err
		}
		return text, err
	case "true", "false":
		return kind == "true", d.Skip()
	case "array":
		return elements(d)
	case "dict":
		pairs, err := elements(d)
		dict := make(map[string]any)
		for i := 0; i+1 < len(pairs) && err == nil; i += 2 {
			name, ok := pairs[i].(key)
			if _, twice := dict[string(name)]; !ok || twice {
				err = fmt.Errorf("%v is no key, or there twice", pairs[i])
			}
			dict[string(name)] = pairs[i+1]
		}
		if err == nil && len(pairs)%2 != 0 {
			err = errors.New("a key has no value")
		}
		return dict, err
	default:
		return nil, fmt.Errorf("<%s> is not known", kind)
	}
}

var _ = Describe("The unit for systemd", func() {
	It("starts the resident monitor in the foreground, and again after a failure", func() {
		Expect(sections(unit)).To(And(
			HaveLen(3),
			HaveKeyWithValue("[Unit]", And(HaveKey("Description"), HaveKeyWithValue("StartLimitIntervalSec", "0"))),
			HaveKeyWithValue("[Service]", And(
				HaveKeyWithValue("Type", "exec"),
				HaveKeyWithValue("ExecStart", MatchRegexp(`^%h/\S+/monitor serve$`)),
				HaveKeyWithValue("Restart", "on-failure"), // a TERM is no failure
				HaveKeyWithValue("RestartSec", "10"),
			)),
			HaveKeyWithValue("[Install]", HaveKeyWithValue("WantedBy", "default.target")),
		))
	})

	It("is right for systemd itself", Label("linux"), func() {
		verify, err := exec.LookPath("systemd-analyze")
		if err != nil {
			Skip("there is no systemd-analyze")
		}
		dir := GinkgoT().TempDir()
		program, err := exec.LookPath("true")
		Expect(err).NotTo(HaveOccurred())
		file := filepath.Join(dir, "monitor.service")
		Expect(os.WriteFile(file, []byte(strings.ReplaceAll(unit, "%h/go/bin/monitor", program)), 0o600)).To(Succeed())
		cmd := exec.Command(verify, "--user", "--man=no", "verify", file)
		cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir)
		Expect(cmd.CombinedOutput()).To(BeEmpty()) // a wrong name of a setting is only a warning
	})
})

var _ = Describe("The agent for launchd", func() {
	It("starts the resident monitor in the foreground, and again after a failure", func() {
		Expect(plist(agent)).To(Equal(map[string]any{
			"Label":             "io.github.gemini-monitor",
			"ProgramArguments":  []any{"@HOME@/go/bin/monitor", "serve"},
			"RunAtLoad":         true,
			"KeepAlive":         map[string]any{"SuccessfulExit": false}, // a TERM is no failure
			"ProcessType":       "Interactive",
			"StandardErrorPath": "@HOME@/Library/Logs/gemini-monitor.log",
		}))
	})
})

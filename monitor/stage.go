package monitor

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// stagePrefix begins the name of a runtime that is being made. The identity of its
// maker and a word for the machine follow, so that one whose maker died here is
// recognised.
const stagePrefix = ".new-"

// stageOf returns the beginning of the names of all stages that a process makes. It
// ends with a comma; an escaped boot has none.
func stageOf(maker process.Identity, machine string) string {
	return fmt.Sprintf("%s%d-%d-%s,%s,", stagePrefix, maker.PID, maker.Start, url.PathEscape(maker.Boot), wordFor(machine))
}

// wordFor returns a short word that stands for a machine in the name of a file, "" for
// a machine that is not known.
func wordFor(machine string) string {
	if machine == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(machine))
	return fmt.Sprintf("%x", sum[:8])
}

// makerOf returns the process that makes a runtime and the word for its machine, from
// the name of the stage. It is not ok where the name is none of a stage.
func makerOf(stage string) (maker process.Identity, machine string, ok bool) {
	text, ok := strings.CutPrefix(stage, stagePrefix)
	words := strings.SplitN(text, ",", 3)
	if !ok || len(words) != 3 {
		return maker, "", false
	}
	var boot string
	if _, err := fmt.Sscanf(words[0], "%d-%d-%s", &maker.PID, &maker.Start, &boot); err != nil {
		return maker, "", false
	}
	boot, err := url.PathUnescape(boot)
	maker.Boot = boot
	return maker, words[1], err == nil
}

// mayLive reports whether a process of a machine is, or may be, alive. It has ended
// where this machine was started since. Of a process of another machine nothing is
// known.
func mayLive(id process.Identity, machine string) bool {
	since, err := id.ThisBoot()
	if err != nil {
		return true
	}
	if !since {
		here, err := thisMachine()
		return err != nil || machine == "" || machine != wordFor(here)
	}
	if id.Visible() != nil {
		return true
	}
	p, err := process.Lookup(id.PID)
	if err != nil {
		return !errors.Is(err, process.ErrGone)
	}
	return p.Identity == id && p.State != process.Zombie
}

// Package service serves one mount: it watches the runtimes of a store, and shows each the
// layers that its start has named.
package service

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gemini-monitor/gemini/examples/layerfs/union"
	"github.com/gemini-monitor/gemini/monitor"
)

// A Payload is what a runtime has beside what package monitor knows: its layers. It is a file
// in the directory of the runtime, so that the next service finds it, and goes with that.
type Payload struct {
	// Layers are absolute paths, the top one first.
	Layers []string `json:"layers"`
	Edit   bool     `json:"edit,omitempty"`
}

const payloadFile = "layers.json"

// write puts the payload into the directory of a runtime, in one step.
func (p Payload) write(r *monitor.Runtime) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	path := filepath.Join(r.Dir(), payloadFile)
	if err = os.WriteFile(path+".new", append(text, '\n'), 0o600); err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("write the layers of runtime %q: %w", r.Name(), err)
	}
	return nil
}

// hasPayload reports whether a runtime has layers, or may have.
func hasPayload(r *monitor.Runtime) bool {
	_, err := os.Lstat(filepath.Join(r.Dir(), payloadFile))
	return !errors.Is(err, fs.ErrNotExist)
}

func readPayload(r *monitor.Runtime) (p Payload, err error) {
	text, err := os.ReadFile(filepath.Join(r.Dir(), payloadFile))
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		return p, fmt.Errorf("read the layers of runtime %q: %w", r.Name(), err)
	}
	return p, nil
}

// stack returns the union of a runtime. The scratch layer is in the own directory of the
// runtime, so it goes when the monitor removes that, and never before. Layers that do not
// answer in time are taken as they are: their readers wait for them, and no others.
func (p Payload) stack(r *monitor.Runtime, patience time.Duration) (*union.Stack, error) {
	type outcome struct {
		stack *union.Stack
		err   error
	}
	checked := make(chan outcome, 1)
	go func() {
		s, err := union.New(p.Layers)
		checked <- outcome{s, err}
	}()
	found := outcome{stack: union.Unchecked(p.Layers)}
	select {
	case found = <-checked:
	case <-time.After(patience):
	}
	if found.err == nil && p.Edit {
		found.err = found.stack.Scratch(filepath.Join(r.Root(), "scratch"))
	}
	if found.err != nil {
		return nil, found.err
	}
	return found.stack, nil
}

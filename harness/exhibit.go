//go:build darwin || linux

package harness

import (
	"fmt"
)

// files adds what a report keeps of the terminal: NAME.cast, NAME.txt, and of its screen
// NAME.screen.txt and NAME.screen.ansi.
func (t *Terminal) files(files map[string][]byte) error {
	files[t.name+".txt"] = []byte(t.Transcript())
	files[t.name+".screen.txt"] = []byte(t.Screen())
	files[t.name+".screen.ansi"] = []byte(t.ScreenANSI())
	cast, err := t.terminal.Asciicast(t.name)
	if err != nil {
		return err
	}
	files[t.name+".cast"] = cast
	return nil
}

// picture returns the screen as text with a heading, empty if the screen is blank.
func (t *Terminal) picture() string {
	seen := t.Screen()
	if seen == "" {
		return ""
	}
	return fmt.Sprintf("\n  screen of %s\n%s\n", t.name, framed(seen))
}

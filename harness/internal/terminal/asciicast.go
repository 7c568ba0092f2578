package terminal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// Asciicast returns the recording as an asciicast, version 2. "asciinema play" shows
// it at its original speed.
func (r *Recording) Asciicast(title string) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var file bytes.Buffer
	lines := json.NewEncoder(&file) // one value a line
	header := map[string]any{"version": 2, "width": r.columns, "height": r.rows, "timestamp": r.began.Unix(), "title": title}
	if err := lines.Encode(header); err != nil {
		return nil, fmt.Errorf("write an asciicast: %w", err)
	}
	var rest [2][]byte // the first bytes of an incomplete character, by direction
	for _, p := range r.passed {
		if p.Rows > 0 {
			if err := lines.Encode([]any{p.At.Seconds(), "r", p.size()}); err != nil {
				return nil, fmt.Errorf("write an asciicast: %w", err)
			}
			continue
		}
		code, direction := "o", 0
		if p.Typed {
			code, direction = "i", 1
		}
		whole, part := cutCharacter(append(rest[direction], p.Bytes...))
		rest[direction] = part
		if len(whole) == 0 {
			continue
		}
		if err := lines.Encode([]any{p.At.Seconds(), code, string(whole)}); err != nil {
			return nil, fmt.Errorf("write an asciicast: %w", err)
		}
	}
	return file.Bytes(), nil
}

// cutCharacter splits b before an incomplete character at its end.
func cutCharacter(b []byte) (whole, part []byte) {
	for i := len(b) - 1; i >= 0 && i >= len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				return b[:i], append([]byte(nil), b[i:]...)
			}
			break
		}
	}
	return b, nil
}

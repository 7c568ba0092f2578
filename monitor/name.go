package monitor

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// ErrBadName reports a name that no runtime can have.
var ErrBadName = errors.New("a name has 1 to 64 of the characters A-Z a-z 0-9 . _ - and no leading dot")

const (
	longestName = 64
	namePrefix  = 24 // bytes of a made-up name that come from the command
	nameEntropy = 4  // random bytes in a made-up name
)

// CheckName returns [ErrBadName] unless name can be a runtime's.
func CheckName(name string) error {
	if !validName(name) {
		return fmt.Errorf("bad name %q: %w", name, ErrBadName)
	}
	return nil
}

// validName reports whether name can be a runtime's. It compiles no regular expression,
// which would cost each start of the command half a millisecond.
func validName(name string) bool {
	return name != "" && len(name) <= longestName && name[0] != '.' &&
		!strings.ContainsFunc(name, func(c rune) bool { return !plainInAName(c) && c != '.' && c != '-' })
}

func plainInAName(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

// MadeUpName returns a name for a runtime around a command, which no runtime is expected to
// have: it ends with random characters.
func MadeUpName(command []string) string {
	base := ""
	if len(command) > 0 {
		base = strings.Map(func(c rune) rune {
			if plainInAName(c) {
				return c
			}
			return -1
		}, filepath.Base(command[0]))
	}
	if len(base) > namePrefix {
		base = base[:namePrefix]
	}
	if base == "" {
		base = "runtime"
	}
	return base + "-" + randomText()
}

func randomText() string {
	random := make([]byte, nameEntropy)
	rand.Read(random) // never fails
	return hex.EncodeToString(random)
}

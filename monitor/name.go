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
var ErrBadName = errors.New("a name has 1 to 64 of the characters A-Z a-z 0-9 . _ -, begins with neither . nor -, and is not of digits alone")

const (
	longestName = 64
	namePrefix  = 24 // bytes of a made-up name that come from the command
	nameEntropy = 4  // random bytes in a made-up name
)

// CheckName returns [ErrBadName] unless a runtime can be made with the name. Commands take
// digits alone for a PID, and a leading - for that of a flag.
func CheckName(name string) error {
	if !validName(name) || name[0] == '-' || !strings.ContainsFunc(name, noDigit) {
		return badName(name)
	}
	return nil
}

func badName(name string) error { return fmt.Errorf("bad name %q: %w", name, ErrBadName) }

func noDigit(c rune) bool { return c < '0' || c > '9' }

// validName reports whether name can be a runtime's that is in a store: earlier versions have
// made names of digits alone, and with a leading -. It compiles no regular expression,
// which would cost each start of the command half a millisecond.
func validName(name string) bool {
	return name != "" && len(name) <= longestName && name[0] != '.' &&
		!strings.ContainsFunc(name, func(c rune) bool { return !plainInAName(c) && c != '.' && c != '-' })
}

func plainInAName(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

// madeUpName returns a name for a runtime around a command. It ends with random
// characters.
func madeUpName(command []string) string {
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

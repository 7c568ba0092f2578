package monitor

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
)

// ErrBadName reports a name that no runtime can have.
var ErrBadName = errors.New("a name has 1 to 64 of the characters A-Z a-z 0-9 . _ - and no leading dot")

var (
	validName  = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$`)
	notInAName = regexp.MustCompile(`[^A-Za-z0-9_]+`)
)

const (
	namePrefix  = 24 // bytes of a made-up name that come from the command
	nameEntropy = 4  // random bytes in a made-up name
)

// CheckName returns [ErrBadName] unless name can be a runtime's.
func CheckName(name string) error {
	if !validName.MatchString(name) {
		return fmt.Errorf("bad name %q: %w", name, ErrBadName)
	}
	return nil
}

// madeUpName returns a name for a runtime around a command. It ends with random
// characters.
func madeUpName(command []string) string {
	base := ""
	if len(command) > 0 {
		base = notInAName.ReplaceAllString(filepath.Base(command[0]), "")
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

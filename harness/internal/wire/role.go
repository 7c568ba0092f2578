package wire

import (
	"os"
	"path/filepath"
	"strings"
)

// A Role is what a process is that runs the test binary, or the program harness/puppet.
type Role string

// The roles. The zero value is a test binary that runs its tests.
const (
	Puppet Role = "puppet"
	Warden Role = "harness-warden"
)

// RoleFlag comes before the name of a role as the first argument of a program that a
// runner starts: a runner does not pass on argument 0.
const RoleFlag = "--harness-role="

// RoleOf returns the role of a process with these arguments, and the arguments without the
// words that say so. Argument 0 is the name of the role, or the first argument is RoleFlag
// with it.
func RoleOf(arguments []string) (Role, []string) {
	if len(arguments) == 0 {
		return "", nil
	}
	rest := arguments[1:]
	name := filepath.Base(arguments[0])
	if len(rest) > 0 && strings.HasPrefix(rest[0], RoleFlag) {
		name, rest = strings.TrimPrefix(rest[0], RoleFlag), rest[1:]
	}
	switch role := Role(name); role {
	case Puppet, Warden:
		return role, rest
	}
	return "", rest
}

// OwnRole returns the role of this process and its arguments.
func OwnRole() (Role, []string) { return RoleOf(os.Args) }

//go:build !unix

package resident

import "os"

// inherit is not supported on this system.
func inherit(int, string) *os.File { return nil }

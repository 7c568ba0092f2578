//go:build !unix

package monitor

import "io/fs"

// ownerOf cannot tell.
func ownerOf(fs.FileInfo) (user int, ok bool) { return 0, false }

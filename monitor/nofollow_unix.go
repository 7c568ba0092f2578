//go:build unix

package monitor

import "syscall"

// noFollow has an open fail where the last part of the path is a link.
const noFollow = syscall.O_NOFOLLOW

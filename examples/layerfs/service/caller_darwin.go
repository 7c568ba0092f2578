package service

import "os"

// isOwn reports whether a caller is this process: macFUSE names no threads.
func isOwn(caller int) bool { return caller == os.Getpid() }

package view

import (
	"os"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// mountOptions has root mount without fusermount3(1), which may be missing. Another user has
// no other way.
func mountOptions(o *fuse.MountOptions) { o.DirectMountStrict = os.Geteuid() == 0 }

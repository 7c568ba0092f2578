package view

import (
	"fmt"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// Type is the type of a mount, as the mount table of Linux has it.
const Type = "layerfs"

// Mount mounts the file system at a directory. Source is what the mount table says of where
// it comes from. The caller calls Serve of what is returned.
//
// Only processes of the user of this one can use the mount. So the checks of the kernel and
// of the layers, which this process meets, are those that the caller would meet.
func (f *FS) Mount(dir, source string) (*fuse.Server, error) {
	o := &fuse.MountOptions{
		FsName: source, Name: Type,
		// Directories are read by names alone: what READDIRPLUS returns the kernel would
		// remember for all trees.
		DisableReadDirPlus: true,
		MaxBackground:      64,
	}
	mountOptions(o)
	server, err := fuse.NewServer(f, dir, o)
	if err != nil {
		return nil, fmt.Errorf("mount %s: %w", dir, err)
	}
	return server, nil
}

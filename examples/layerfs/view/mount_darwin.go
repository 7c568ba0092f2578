package view

import "github.com/hanwen/go-fuse/v2/fuse"

// mountOptions has the Finder show a name, and no files for attributes that the layers hold
// themselves (mount_macfuse(8)). The kernel has other names for the same file in mind where
// it ignores case; nobrowse keeps Spotlight and the Finder from reading each tree.
func mountOptions(o *fuse.MountOptions) {
	o.Options = []string{"volname=layerfs", "noappledouble", "nobrowse"}
}

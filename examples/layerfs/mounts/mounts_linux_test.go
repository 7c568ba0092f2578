package mounts

import "testing"

func TestParse(t *testing.T) {
	const text = `22 27 0:21 / / rw,relatime shared:1 - ext4 /dev/vda rw
32 30 0:32 / /home/me/a\040b rw - fuse.layerfs /home/me/s\040t rw
34 22 torn
`
	want := []Mount{{"/", "ext4", "/dev/vda"}, {"/home/me/a b", "fuse.layerfs", "/home/me/s t"}}
	found := parse([]byte(text))
	if len(found) != len(want) || found[0] != want[0] || found[1] != want[1] {
		t.Errorf("parse: %v, want %v", found, want)
	}
	for path, is := range map[string]bool{"/a": true, "/a/b": true, "/ab": false, "/": false} {
		if within(path, "/a") != is {
			t.Errorf("within(%q, /a) is %v", path, !is)
		}
	}
}

package service

import "testing"

func TestDoubtWithin(t *testing.T) {
	inner, outer := doubt{marks: []string{"o", "i"}}, doubt{marks: []string{"o"}}
	for _, c := range []struct {
		what string
		d    doubt
		mark string
		want bool
	}{
		{"a stranger may be of any runtime", outer, "", true},
		{"a member of the outer runtime may be of the inner one", inner, "o", true},
		{"a runtime may be inside itself: its own mark counts", outer, "o", true},
		{"a member of the inner runtime is not of the outer one alone", outer, "i", false},
		{"a member of another runtime is not of this one", inner, "x", false},
		{"a record that cannot be read may be of any runtime", doubt{}, "x", true},
	} {
		if got := c.d.within(c.mark); got != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
	}
}

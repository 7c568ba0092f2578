package resident

import "golang.org/x/mod/semver"

// older reports whether a version is older than another. Versions that are not those of
// a release or a commit are as old as any other.
func older(one, other string) bool {
	return semver.IsValid(one) && semver.IsValid(other) && semver.Compare(one, other) < 0
}

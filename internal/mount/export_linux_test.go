package mount

// PointsIn is for the specs.
func PointsIn(text []byte) []string { return pointsIn(text) }

// MountedIn is for the specs.
func MountedIn(text []byte) []FileSystem { return mountedIn(text) }

// Deepest is for the specs.
func Deepest(path string, mounted []FileSystem) FileSystem { return deepest(path, mounted) }

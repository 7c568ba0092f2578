package mount

// PointsIn is for the specs.
func PointsIn(text []byte) []string { return pointsIn(text) }

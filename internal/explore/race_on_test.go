//go:build race

package explore

// raceDetector: the exploration has one goroutine, so there is nothing to detect
// for it, and it would take ten times as long.
const raceDetector = true

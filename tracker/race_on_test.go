//go:build race

package tracker

// raceDetector: the exploration has one goroutine, so there is nothing to detect
// for it, and it would take ten times as long.
const raceDetector = true

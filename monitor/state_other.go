//go:build !darwin

package monitor

// stateDir is where programs keep a user's state, below the home directory
// (XDG base directories).
const stateDir = ".local/state"

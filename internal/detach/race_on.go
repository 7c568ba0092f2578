//go:build race

package detach

// keptVariables has the settings of the race detector, for the specs.
var keptVariables = []string{"GORACE"}

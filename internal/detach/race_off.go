//go:build !race

package detach

var keptVariables []string

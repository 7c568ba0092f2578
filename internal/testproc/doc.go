// Package testproc makes real processes for specs: they stop at gates until the spec
// opens one, and an oracle that asks no process table reports whether any of them lives.
//
// Perl scripts are the roots of trees, because perl forks without exec. The test
// binary itself plays the parts that need a Go program: see Main.
package testproc

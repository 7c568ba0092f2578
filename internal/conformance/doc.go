// Package conformance has what the tracker relies on of every kernel, as specs.
package conformance

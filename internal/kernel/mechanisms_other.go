//go:build !darwin && !linux

package kernel

// mechanisms is empty: nothing can be followed here.
var mechanisms []mechanism

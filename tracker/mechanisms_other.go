//go:build !darwin && !linux

package tracker

// mechanisms is empty: nothing can be followed here.
var mechanisms []mechanism

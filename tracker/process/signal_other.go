//go:build !darwin && !linux

package process

// newSignaller is never called: no reader can be opened here.
func newSignaller(*Reader) signaller { return signaller{} }

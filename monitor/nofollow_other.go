//go:build !unix

package monitor

// noFollow is nothing on this system.
const noFollow = 0

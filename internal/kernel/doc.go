// Package kernel has the kernels that a tracker runs on: kqueue and sysctl on macOS, the
// proc connector, pidfds and /proc on Linux.
package kernel

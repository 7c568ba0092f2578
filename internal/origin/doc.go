// Package origin has the signals that were ignored and blocked when this program was
// started, and restores them for the program that takes its place.
//
// Go's runtime installs a handler for most signals, ignored or not, and unblocks some,
// before any code of ours runs (runtime/signal_unix.go, initsig, minitSignalMask). It
// keeps what it found in two variables that it does not export. They are read here by the
// symbol table of the program, and not believed unless they agree with what os/signal and
// the kernel report. Of a program without a symbol table, nothing is known.
package origin

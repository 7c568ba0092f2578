// Package explore plays small programs of processes on the simulated kernel in every
// order of the steps of kernel, processes, tracker and, if a case has one, an [Actor].
package explore

// Package standin runs a program in a child that has the place of this process at the
// terminal, and stays until the child has ended: the parent of this process sees the child
// stop, go on and end as if this process were it.
//
// The child has the process group, session, terminal and standard streams of this process, so
// what the terminal sends reaches it by itself. A signal that another process sends to this
// one is passed on. Which of the two it is, the kernel says with the signal, on Linux on amd64
// and arm64. Elsewhere it follows from the signal and from who has the terminal (decide).
//
// This process is no subreaper, and writes nothing but what [Say] is given.
package standin

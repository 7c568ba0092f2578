// Package checkup finds out what a monitor can rely on in this place, and judges which
// promises of the README are weaker here. [Gather] collects facts, [Judge] draws the
// conclusions: it makes no system call. Neither changes anything or starts a process.
package checkup

// Package rehearsal plays scripts to a follower: a kernel that shows the table, and
// posts the notices, that a spec has written.
package rehearsal

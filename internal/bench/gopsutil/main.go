// Gopsutil follows the trees of some roots as programs do that use
// github.com/shirou/gopsutil: it asks for children again and again. It speaks as
// the followers of the bench do, and is a module of its own, so that nothing
// else depends on what it depends on.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/shirou/gopsutil/v4/process"
)

const beat = 100 * time.Millisecond

func main() {
	var roots []int32
	for _, word := range os.Args[1:] {
		n, err := strconv.Atoi(word)
		if err != nil {
			fmt.Fprintln(os.Stderr, "gopsutil:", err)
			os.Exit(2)
		}
		roots = append(roots, int32(n))
	}
	go func() {
		fmt.Println("ready")
		for len(roots) > 0 {
			roots = look(roots)
			time.Sleep(beat) // the beat is the point
		}
	}()
	orders := bufio.NewScanner(os.Stdin)
	for orders.Scan() {
		var used syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
			fmt.Fprintln(os.Stderr, "gopsutil:", err)
			os.Exit(1)
		}
		fmt.Println("cost", time.Duration(used.Utime.Nano()+used.Stime.Nano()).Microseconds(), 0)
	}
}

// look says which roots have gone without children and returns the others.
func look(roots []int32) (left []int32) {
	for _, root := range roots {
		p := process.Process{Pid: root}
		states, err := p.Status()
		gone := err != nil || len(states) > 0 && states[0] == process.Zombie
		children, _ := p.Children() // an error says there are none
		if gone && len(children) == 0 {
			fmt.Println(root)
			continue
		}
		left = append(left, root)
	}
	return left
}

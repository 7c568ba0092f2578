// Gopsutil follows the trees of some roots with github.com/shirou/gopsutil: it reads the
// children at a beat. It prints what the followers of the bench print. It is a module of
// its own, so that no other code depends on gopsutil.
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
			roots = scan(roots)
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

// scan prints the roots that have ended without children and returns the others.
func scan(roots []int32) (left []int32) {
	for _, root := range roots {
		p := process.Process{Pid: root}
		states, err := p.Status()
		gone := err != nil || len(states) > 0 && states[0] == process.Zombie
		children, _ := p.Children() // an error means that there are none
		if gone && len(children) == 0 {
			fmt.Println(root)
			continue
		}
		left = append(left, root)
	}
	return left
}

package service

import (
	"os"
	"os/exec"
	"strconv"
	"testing"
)

func TestIsOwn(t *testing.T) {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil || len(threads) < 2 {
		t.Fatalf("this process has threads: %v, %v", threads, err)
	}
	own := []int{os.Getpid()}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			t.Fatal(err)
		}
		own = append(own, id)
	}
	// A thread of Go ends only with a goroutine that is locked to it, and there is none here.
	for _, id := range own {
		if !isOwn(id) {
			t.Errorf("%d is a thread of this process", id)
		}
	}
	child := exec.Command("cat")
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for _, id := range []int{child.Process.Pid, os.Getppid(), 1, 0, -1, -os.Getpid()} {
		if isOwn(id) {
			t.Errorf("%d is no thread of this process", id)
		}
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err != nil {
		t.Fatal(err)
	}
}

package puppet

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"

	"github.com/gemini-monitor/gemini/harness/internal/wire"
)

// The main goroutine of a puppet stays on the first thread, so that it can end it.
func init() {
	if role, _ := wire.OwnRole(); role == wire.Puppet {
		runtime.LockOSThread()
	}
}

var (
	endFirst  = make(chan struct{})
	asked     atomic.Bool // endFirstThread was called
	lastWords = make(chan error)
)

// stay blocks the first thread, and ends it when endFirstThread is called. For Go's
// runtime that is a system call that does not return.
func stay() {
	<-endFirst
	_, _, errno := syscall.Syscall(syscall.SYS_EXIT, 0, 0, 0)
	lastWords <- errno // not reached
}

// endFirstThread ends the first thread and returns when the kernel shows the process as
// a zombie, though its other threads live.
func endFirstThread() error {
	if asked.Swap(true) {
		return errors.New("the first thread has been ended already")
	}
	close(endFirst)
	for {
		select {
		case err := <-lastWords:
			return err
		default:
		}
		text, err := os.ReadFile("/proc/self/stat")
		if err != nil {
			return fmt.Errorf("read the state of the first thread: %w", err)
		}
		if bytes.HasPrefix(text[bytes.LastIndexByte(text, ')')+1:], []byte(" Z")) {
			return nil
		}
		runtime.Gosched()
	}
}

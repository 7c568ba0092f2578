//go:build darwin || linux

// Package warden is a process between the harness and the commands that it starts.
//
// The warden is the parent of its commands. On Linux it adopts their orphans, too, so it
// knows exactly whether a descendant lives: one does as long as the warden has a child
// (prctl(2), PR_SET_CHILD_SUBREAPER). It makes the pipes of a command itself: the process
// of the tests, which may start other programs at any time, never has the end that the
// command holds, so none of these programs can inherit it.
//
// When the harness closes the connection, or ends, the warden kills all descendants and
// ends as well. If the process of the tests has ended, the warden removes its temporary
// directory before.
package warden

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/harness/internal/scratch"
	"github.com/gemini-monitor/gemini/harness/internal/wire"
)

// Main is the life of a warden. It does not return. The argument is the temporary directory
// of the process of the tests.
func Main(arguments []string) {
	w, err := newWarden()
	if err != nil {
		fmt.Fprintln(os.Stderr, "warden:", err)
		syscall.Exit(3)
	}
	go w.reapAlways()
	w.serve()
	if err := w.killAll(lastPatience); err != nil {
		fmt.Fprintln(os.Stderr, "warden:", err)
	}
	if !w.left {
		clearAway(arguments)
	}
	syscall.Exit(0) // os.Exit would wait a second in a program with the race detector
}

// clearAway removes the temporary directories of the process of the tests, which is ending:
// the kernel closes its connections before its lock, or after.
func clearAway(dirs []string) {
	time.AfterFunc(lastPatience, func() { syscall.Exit(0) })
	for _, dir := range dirs {
		_ = scratch.RemoveEnding(dir) // another warden may have done so
	}
}

// lastPatience is how long a warden without a harness goes on killing, and then waits for
// the end of the harness.
const lastPatience = 20 * time.Second

// A warden is this process.
type warden struct {
	orders  *json.Decoder
	files   *net.UnixConn
	adopts  bool
	left    bool // the last order was to leave
	deaths  chan os.Signal
	sending sync.Mutex
	news    *json.Encoder

	mu        sync.Mutex
	commands  map[int]bool  // PIDs that are started and not reaped
	childless bool          // at the last reap
	reaped    chan struct{} // closed and replaced at each reap
}

// newWarden takes over the two sockets.
func newWarden() (*warden, error) {
	orders, err := socket(wire.OrderDescriptor)
	if err != nil {
		return nil, err
	}
	files, err := socket(wire.FileDescriptor)
	if err != nil {
		return nil, err
	}
	reviveSignals()
	w := &warden{
		orders: json.NewDecoder(orders), news: json.NewEncoder(orders), files: files,
		adopts: adopt() == nil, deaths: make(chan os.Signal, 1),
		commands: map[int]bool{}, childless: true, reaped: make(chan struct{}),
	}
	signal.Notify(w.deaths, syscall.SIGCHLD)
	return w, nil
}

// socket returns the connection at a descriptor, which commands do not inherit.
func socket(fd int) (*net.UnixConn, error) {
	syscall.CloseOnExec(fd)
	file := os.NewFile(uintptr(fd), "socket")
	defer file.Close() // FileConn keeps a copy
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, fmt.Errorf("take over descriptor %d: %w", fd, err)
	}
	return conn.(*net.UnixConn), nil
}

// reviveSignals makes commands start with the default action for the signals of a
// terminal. Under nohup or in the background of a script the tests ignore some of them. A
// child inherits an ignored signal, and a shell in it cannot reset it. An exec resets a
// signal that is caught.
func reviveSignals() {
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
}

// serve obeys until the harness closes the connection.
func (w *warden) serve() {
	for {
		var order wire.WardenOrder
		if err := w.orders.Decode(&order); err != nil {
			if err != io.EOF {
				fmt.Fprintln(os.Stderr, "warden: read an order:", err)
			}
			return
		}
		w.obey(order)
	}
}

// obey carries an order out and answers.
func (w *warden) obey(order wire.WardenOrder) {
	answer := wire.News{Number: order.Number}
	var err error
	switch order.Do {
	case wire.Begin:
		w.begin(order) // answers itself
		return
	case wire.Strike:
		err = w.strike(order.PID, order.Signal, order.Group)
	case wire.Ask:
		w.reap()
		w.mu.Lock()
		answer.Children, answer.Adopts = !w.childless, w.adopts
		w.mu.Unlock()
	case wire.End:
		err = w.killAll(patience)
	case wire.Leave:
		w.left = true
	default:
		err = fmt.Errorf("unknown order %q", order.Do)
	}
	if err != nil {
		answer.Error = err.Error()
	}
	w.tell(answer)
}

// tell sends news. An error means that the harness has gone, which serve notices.
func (w *warden) tell(news wire.News) {
	w.sending.Lock()
	defer w.sending.Unlock()
	if news.Time.IsZero() {
		news.Time = time.Now()
	}
	_ = w.news.Encode(news)
}

// strike sends a signal to a command, or to the group that it leads. After the reap it does nothing: the kernel may have
// given the PID away. The lock keeps the reap away in between.
func (w *warden) strike(pid int, s syscall.Signal, group bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.commands[pid] {
		return nil
	}
	if group {
		pid = -pid
	}
	return syscall.Kill(pid, s)
}

// reapAlways reaps each time the kernel reports a change of a child.
func (w *warden) reapAlways() {
	for range w.deaths {
		w.reap()
	}
}

// reap reports what has become of the children since the last call, and reaps those that
// have ended.
func (w *warden) reap() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, unix.WNOHANG|unix.WUNTRACED|unix.WCONTINUED, nil)
		if err == unix.EINTR {
			continue
		}
		w.childless = err == unix.ECHILD
		if pid <= 0 || err != nil {
			break
		}
		if !w.commands[pid] {
			continue // an orphan
		}
		w.tell(w.changed(pid, status))
	}
	close(w.reaped)
	w.reaped = make(chan struct{})
}

// changed returns the news of a command. Its caller holds mu.
func (w *warden) changed(pid int, status unix.WaitStatus) wire.News {
	news := wire.News{PID: pid}
	switch stopped, continued := paused(status); {
	case stopped:
		news.Change = wire.Stopped
	case continued:
		news.Change = wire.Continued
	case status.Signaled():
		news.Change, news.Status.Signal = wire.Ended, status.Signal()
	default:
		news.Change, news.Status.Code = wire.Ended, status.ExitStatus()
	}
	if news.Change == wire.Ended {
		delete(w.commands, pid)
	}
	return news
}

//go:build darwin || linux

package harness

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/harness/internal/warden"
	"github.com/gemini-monitor/gemini/harness/internal/wire"
)

// A guard is the connection to a warden (package warden), which is the parent of what the
// stage starts.
type guard struct {
	cmd    *exec.Cmd
	orders *net.UnixConn
	files  *net.UnixConn
	gone   chan struct{} // closed when the warden has ended

	sending sync.Mutex // keeps an order and its files together

	mu       sync.Mutex
	number   int // of the last order
	waiting  map[int]chan wire.News
	starting map[int]*process // by the number of the order that starts it
	running  map[int]*process // by PID
}

var errWardenGone = errors.New("the warden has ended")

// newGuard starts a warden.
func (s *Stage) newGuard() (*guard, error) {
	orders, theirOrders, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer theirOrders.Close()
	files, theirFiles, err := socketPair()
	if err != nil {
		orders.Close()
		return nil, err
	}
	defer theirFiles.Close()
	g := &guard{
		orders: orders, files: files, gone: make(chan struct{}),
		waiting: map[int]chan wire.News{}, starting: map[int]*process{}, running: map[int]*process{},
	}
	if err := g.start(s, theirOrders, theirFiles); err != nil {
		orders.Close()
		files.Close()
		return nil, fmt.Errorf("start a warden: %w", err)
	}
	s.guards.add(g)
	go g.listen()
	return g, nil
}

// start starts the process. It leads a session: what a terminal sends to the tests does
// not reach it. What it has to say before it ends is in a file of the stage.
func (g *guard) start(s *Stage, given ...*os.File) error {
	log, err := os.OpenFile(s.backstage("wardens"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	g.cmd = exec.Command(s.image)
	g.cmd.Args = []string{string(wire.Warden), filepath.Dir(s.place)}
	g.cmd.Env = []string{}
	g.cmd.Dir = "/"
	g.cmd.Stderr = log
	g.cmd.ExtraFiles = given
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return g.cmd.Start()
}

// socketPair returns a connection and the other end of it.
func socketPair() (*net.UnixConn, *os.File, error) {
	// macOS cannot make sockets that are close-on-exec from the beginning.
	syscall.ForkLock.RLock()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(pair[0])
		unix.CloseOnExec(pair[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket pair: %w", err)
	}
	own, other := os.NewFile(uintptr(pair[0]), "warden"), os.NewFile(uintptr(pair[1]), "harness")
	defer own.Close() // FileConn keeps a copy
	conn, err := net.FileConn(own)
	if err != nil {
		other.Close()
		return nil, nil, fmt.Errorf("use a socket pair: %w", err)
	}
	return conn.(*net.UnixConn), other, nil
}

// listen passes news on until the warden has ended, and reaps it.
func (g *guard) listen() {
	defer close(g.gone)
	decoder := json.NewDecoder(g.orders)
	for {
		var news wire.News
		if err := decoder.Decode(&news); err != nil {
			break
		}
		g.pass(news)
	}
	g.orders.Close()
	_ = g.cmd.Wait() // its error is in the state
}

// pass gives an answer to the order that waits for it, and a change to its process.
func (g *guard) pass(news wire.News) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if news.Number == 0 {
		if p := g.running[news.PID]; p != nil {
			p.becomes(news)
			if news.Change == wire.Ended {
				delete(g.running, news.PID)
			}
		}
		return
	}
	if p := g.starting[news.Number]; p != nil {
		delete(g.starting, news.Number)
		if news.Error == "" {
			p.pid = news.PID
			g.running[news.PID] = p
		}
	}
	g.waiting[news.Number] <- news // has room for it
	delete(g.waiting, news.Number)
}

// do sends an order and waits for the answer. A process is what the order starts, or nil.
func (g *guard) do(order wire.WardenOrder, given []*os.File, p *process) (wire.News, error) {
	answer := make(chan wire.News, 1)
	if err := g.send(order, given, p, answer); err != nil {
		<-g.gone
		return wire.News{}, g.lost()
	}
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case news := <-answer:
		return news, errorOf(news)
	case <-g.gone:
		select {
		case news := <-answer: // its last one
			return news, errorOf(news)
		default:
			return wire.News{}, g.lost()
		}
	case <-limit.C:
		return wire.News{}, fmt.Errorf("the warden does not answer within %v", patience)
	}
}

// lost returns the error of a warden that has ended. Its caller knows that gone is closed.
func (g *guard) lost() error { return fmt.Errorf("%w, %v", errWardenGone, g.cmd.ProcessState) }

// errorOf returns the error that an answer has.
func errorOf(news wire.News) error {
	if news.Error != "" {
		return errors.New(news.Error)
	}
	return nil
}

// send sends an order and then its files.
func (g *guard) send(order wire.WardenOrder, given []*os.File, p *process, answer chan wire.News) error {
	g.sending.Lock()
	defer g.sending.Unlock()
	g.mu.Lock()
	g.number++
	order.Number = g.number
	g.waiting[order.Number] = answer
	if p != nil {
		g.starting[order.Number] = p
	}
	g.mu.Unlock()
	if err := json.NewEncoder(g.orders).Encode(order); err != nil {
		return err
	}
	return warden.Send(g.files, given)
}

// begin starts a command. It closes given, and returns the ends of the pipes that the
// warden made: of the oracle if there is one, then of the standard streams.
func (g *guard) begin(c *wire.Command, given []*os.File, k *track) (*process, []*os.File, error) {
	p := &process{guard: g, words: c.Arguments, exited: make(chan struct{}), changed: make(chan struct{}), track: k}
	c.Given = len(given)
	began := time.Now()
	answer, err := g.do(wire.WardenOrder{Do: wire.Begin, Command: c}, given, p)
	closeAll(given)
	if err != nil {
		return nil, nil, fmt.Errorf("start %q: %w", c.Arguments, err)
	}
	back, err := warden.Receive(g.files, answer.Sent)
	if err != nil {
		return nil, nil, fmt.Errorf("start %q: %w", c.Arguments, err)
	}
	k.record(Event{Time: began, PID: p.pid, What: "started: " + brief(join(c.Arguments), 500), Life: Begins})
	return p, back, nil
}

// ask asks whether a child of the warden is left, and whether that means a descendant.
func (g *guard) ask() (children, exact bool, err error) {
	answer, err := g.do(wire.WardenOrder{Do: wire.Ask}, nil, nil)
	return answer.Children, answer.Adopts, err
}

// end kills all descendants that the warden can find.
func (g *guard) end() error {
	_, err := g.do(wire.WardenOrder{Do: wire.End}, nil, nil)
	return err
}

// close ends the warden and waits for that. A warden that cannot end its processes is
// killed.
func (g *guard) close() {
	limit := time.AfterFunc(patience, func() { _ = g.cmd.Process.Kill() })
	defer limit.Stop()
	_, _ = g.do(wire.WardenOrder{Do: wire.Leave}, nil, nil) // an error means that it has gone
	_ = g.orders.CloseWrite()                               // the warden reads the end and ends
	<-g.gone
	g.files.Close()
}

// pid returns the PID of the warden.
func (g *guard) pid() int { return g.cmd.Process.Pid }

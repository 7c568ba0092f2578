package resident

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/gemini-monitor/gemini/internal/detach"
	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/internal/varlink"
	"github.com/gemini-monitor/gemini/monitor"
)

// A Client asks the resident of a store. Where none serves, it starts one. It is a
// [monitor.Keeper].
type Client struct {
	Store *monitor.Store
	// Command is the command line of a program that starts a resident outside of the
	// caller's process tree: "monitor serve --detach".
	Command []string
	// Version is that of the calling program.
	Version string
	// Own starts the monitor of a single runtime, where the resident does not answer.
	Own monitor.Keeper
	// Patience is how long a resident that runs may take to give a sign of life, before the
	// runtime gets a monitor of its own. 0 stands for 10 seconds.
	Patience time.Duration
	// Tell receives what the user of a command should know, or is nil.
	Tell func(string)

	ahead *ahead // nil unless it is hastened
}

const (
	// quick is how long a resident may take to answer at all, before the client looks whether
	// it is stopped.
	quick = 2 * time.Second
	// patience is how long one may take that is not stopped. Where hundreds of runtimes are
	// started at once it may wait for a processor. Monitors of their own would make that worse:
	// each is two programs more.
	patience = 10 * time.Second
	// slow is how long one may take to begin to serve. Then there is time left for a
	// monitor of the runtime's own.
	slow = 5 * time.Second
)

// Adopt has the resident take over every runtime that has no monitor. It returns what
// became of all.
func (c *Client) Adopt(ctx context.Context) ([]Finding, error) {
	var out adoptOut
	err := c.try(ctx, func(conn *net.UnixConn) error {
		return varlink.Call(ctx, conn, methodAdopt, struct{}{}, &out)
	})
	return out.Found, err
}

// fewTimes is how often a request may remain without an answer. One that ends the resident
// each time is not repeated for ever.
const fewTimes = 5

// try carries out an exchange with the resident, which is repeated where the resident has
// just ended, and with a newer one where it is older than this program.
func (c *Client) try(ctx context.Context, exchange func(*net.UnixConn) error) error {
	unanswered := 0
	for wait := breath; ; wait = min(2*wait, longBreath) {
		conn, err := c.connection(ctx)
		if err != nil {
			return err
		}
		err = exchange(conn)
		conn.Close()
		failed, _ := errors.AsType[*varlink.Error](err)
		switch {
		case err == nil:
			return nil
		case failed != nil && failed.Name == errorOlder:
			err = c.takeOver(ctx)
		case failed != nil && (failed.Name == errorLeaving || failed.Name == varlink.Busy):
			err = nil
		case errors.Is(err, varlink.ErrNoAnswer) && unanswered < fewTimes:
			unanswered++
			err = nil
		}
		if err == nil {
			err = pause(ctx, wait)
		}
		if err != nil {
			return explain(err)
		}
	}
}

// takeOver has an older resident end. Connect starts the next one.
func (c *Client) takeOver(ctx context.Context) error {
	conn, err := c.dial(ctx)
	if err != nil {
		return nil // it has ended
	}
	defer conn.Close()
	limited, done := context.WithTimeout(ctx, quick)
	defer done()
	err = varlink.Call(limited, conn, methodHandOver, versionIn{c.Version}, nil)
	if errors.Is(err, varlink.ErrNoAnswer) {
		err = nil
	}
	return err
}

// breath and longBreath are the first and the longest pause between two tries to connect.
const (
	breath     = time.Millisecond
	longBreath = 20 * time.Millisecond
)

// connect connects to the resident. Where none serves, connect starts one: the process
// that gets the lock of the store does, the others wait for it. A full queue or a
// time-out is no proof that none serves; a lock that is free is. One that has the lock and
// no socket is not waited for longer than one that is slow.
func (c *Client) connect(ctx context.Context) (*net.UnixConn, error) {
	ctx, done := context.WithTimeout(ctx, slow)
	defer done()
	for wait := breath; ; wait = min(2*wait, longBreath) {
		conn, err := c.dial(ctx)
		switch {
		case err == nil:
			return conn, nil
		case ctx.Err() != nil:
			return nil, tooLong(ctx)
		case !isDead(err):
			return nil, err
		}
		started, err := c.startOne(ctx)
		if err != nil {
			return nil, err
		}
		if !started && pause(ctx, wait) != nil {
			return nil, tooLong(ctx)
		}
	}
}

func tooLong(ctx context.Context) error {
	return fmt.Errorf("the resident monitor does not begin to serve: %w", context.Cause(ctx))
}

func (c *Client) dial(ctx context.Context) (*net.UnixConn, error) {
	return dialUser(ctx, socketPath(c.Store))
}

// dialUser connects to a socket at which a process of the same user listens.
func dialUser(ctx context.Context, path string) (*net.UnixConn, error) {
	limited, done := context.WithTimeout(ctx, quick)
	defer done()
	conn, err := unixsocket.Dial(limited, path)
	if err != nil {
		return nil, err
	}
	if user, err := unixsocket.UserOf(conn); err != nil || user != os.Geteuid() {
		conn.Close()
		return nil, fmt.Errorf("user %d listens at %s: %w", user, path, errors.Join(monitor.ErrUnsafe, err))
	}
	return conn, nil
}

// isDead reports whether no process seems to listen.
func isDead(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unixsocket.ErrRefused) || errors.Is(err, syscall.ECONNRESET)
}

// startOne starts a resident, unless a process has the lock of the store, and reports whether
// one that it has started serves.
func (c *Client) startOne(ctx context.Context) (started bool, err error) {
	lock, err := tryLock(c.Store)
	if lock == nil || err != nil {
		return false, err
	}
	defer lock.Close()
	// Another may have come and gone between, or serve without the socket that was tried.
	if conn, err := c.dial(ctx); err == nil {
		return false, conn.Close()
	}
	c.tellFailure()
	log, err := openFile(LogPath(c.Store), os.O_WRONLY|os.O_APPEND)
	if err != nil {
		return false, err
	}
	defer log.Close()
	if err := detach.Start(ctx, c.Command, log, lock); err != nil {
		return false, fmt.Errorf("the resident monitor did not start: %w (its log is %s)", err, log.Name())
	}
	return true, nil
}

// tellFailure tells once that a guard has given up.
func (c *Client) tellFailure() {
	text, err := os.ReadFile(failedPath(c.Store))
	if err != nil {
		return
	}
	if os.Remove(failedPath(c.Store)) == nil && c.Tell != nil {
		c.Tell(strings.TrimSpace(string(text)))
	}
}

// pause waits for a time that differs from process to process.
func pause(ctx context.Context, about time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(about/2 + rand.N(about)):
		return nil
	}
}

// explain puts an error of the protocol in words.
func explain(err error) error {
	if failed, _ := errors.AsType[*varlink.Error](err); failed != nil && failed.Reason() != "" {
		return errors.New(failed.Reason())
	}
	return err
}

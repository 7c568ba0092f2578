package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/gemini-monitor/gemini/examples/layerfs/mounts"
	"github.com/gemini-monitor/gemini/examples/layerfs/view"
	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/internal/varlink"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// Options are the choices of a service.
type Options struct {
	Place Place
	// Resident: the service follows no process, and asks the resident monitor of the store.
	Resident bool
	// Self, Cache and Patience are those of [view.Options].
	Self     bool
	Cache    time.Duration
	Patience time.Duration
	Log      *slog.Logger
	// Ready is called when the mount is there and the service answers.
	Ready func()
}

// Serve serves a mount until ctx ends, or the mount is unmounted. Then the runtimes stay as
// they are, and the next service takes them over. The mount of a service that was killed is
// replaced by a new one. The error is [ErrServed] where another service has the store.
func Serve(ctx context.Context, o Options) error {
	s := &server{Options: o, done: make(chan struct{})}
	err := s.open(ctx)
	if err == nil {
		err = s.serve(ctx)
	}
	return errors.Join(err, s.close())
}

// A server is a service at work.
type server struct {
	Options
	lock      *os.File
	self      process.Identity
	following following
	fs        *view.FS
	fuse      *fuse.Server
	served    chan struct{} // closed when the mount has gone
	door      *unixsocket.Listener
	protocol  *varlink.Server

	done     chan struct{} // closed when the mount was unmounted by request
	doneOnce sync.Once
	going    sync.WaitGroup
}

// A following knows which tree a process is in: it follows the processes, or asks what does.
type following interface {
	view.Router
	// begin has the runtimes that are there be shown, and others as they come.
	begin(ctx context.Context, f *view.FS)
	// take has a runtime be shown, whose owner waits.
	take(ctx context.Context, r *monitor.Runtime, owner process.Identity) error
	// end ends that, and leaves the runtime as it is.
	end(name string, owner process.Identity)
	// join makes a process a member of the runtime of an owner.
	join(ctx context.Context, name string, owner process.Identity, who monitor.Newcomer) error
	runtimes(ctx context.Context) ([]Runtime, error)
	// stop returns when runtimes without members are removed, or after a time. With force it
	// ends the members first. What is left keeps the runtime.
	stop(ctx context.Context, force bool)
	// leave ends begin, and leaves the runtimes as they are.
	leave()
	close() error
}

// follow returns what follows processes.
func (o Options) follow() (following, error) {
	if o.Resident {
		return newAsking(o)
	}
	return newOwn(o)
}

// open takes the store over, then mounts, then answers: no process of a runtime sees a mount
// that does not know it.
func (s *server) open(ctx context.Context) (err error) {
	if s.lock, err = s.Place.takeLock(); err != nil {
		return err
	}
	if s.self, err = process.Self(); err != nil {
		return err
	}
	if s.following, err = s.follow(); err != nil {
		return err
	}
	s.fs = view.New(view.Options{Router: s.following, Self: s.Self, Cache: s.Cache, Patience: s.Patience, Log: s.Log})
	s.following.begin(ctx, s.fs)
	if err = s.mount(); err != nil {
		return err
	}
	return s.listen()
}

// mount mounts the file system. The mount of a service that was killed goes first: this one
// has the lock of the store, so no living service has that mount.
func (s *server) mount() error {
	point := s.Place.Point
	found, err := mounts.At(point)
	if err != nil {
		return err
	}
	for found.Kind == mounts.Kind && found.Source == s.Place.Store.Dir() {
		s.Log.Info("the mount of an earlier service is replaced", "mount", point)
		if err = mounts.Detach(point); err != nil {
			return err
		}
		if found, err = mounts.At(point); err != nil {
			return err
		}
	}
	if found.Kind == mounts.Kind {
		return fmt.Errorf("%s: layerfs is mounted there, with the store %s", point, found.Source)
	}
	if s.fuse, err = s.fs.Mount(point, s.Place.Store.Dir()); err != nil {
		return err
	}
	s.served = make(chan struct{})
	go func() {
		defer close(s.served)
		s.fuse.Serve()
	}()
	if err = s.fuse.WaitMount(); err != nil {
		return fmt.Errorf("mount %s: %w", point, err)
	}
	return nil
}

func (s *server) listen() error {
	path := s.Place.socket()
	if err := unixsocket.Remove(path); err != nil { // that of a service that was killed
		return err
	}
	door, err := unixsocket.Listen(path)
	if err != nil {
		return err
	}
	s.door, s.protocol = door, s.methods()
	s.going.Go(func() {
		if err := s.protocol.Serve(context.Background(), door); err != nil {
			s.Log.Error("the socket accepts no connection any more", "error", err)
		}
	})
	return nil
}

func (s *server) serve(ctx context.Context) error {
	s.Log.Info("serving", "mount", s.Place.Point, "store", s.Place.Store.Dir(), "resident", s.Resident)
	if s.Ready != nil {
		s.Ready()
	}
	select {
	case <-ctx.Done():
		s.Log.Info("stopped; the runtimes stay", "cause", context.Cause(ctx))
	case <-s.done:
		s.Log.Info("unmounted")
	case <-s.served:
		s.Log.Info("unmounted")
	}
	return nil
}

// emptying is how long the removal of an empty runtime is waited for.
const emptying = 10 * time.Second

// closing is how long what is in work may take when the service ends.
const closing = 2 * time.Second

// close ends what open began. The mount is taken from its place; processes that use it get
// ENOTCONN when this process has ended.
func (s *server) close() (err error) {
	if s.door != nil {
		err = errors.Join(s.door.Unlink(), s.door.Close())
		limited, end := context.WithTimeout(context.Background(), closing)
		defer end()
		_ = s.protocol.Wait(limited)
	}
	if s.fuse != nil {
		select {
		case <-s.served:
		default:
			if found, failed := mounts.At(s.Place.Point); failed == nil && found.Source == s.Place.Store.Dir() {
				err = errors.Join(err, mounts.Detach(s.Place.Point))
			}
		}
	}
	if s.following != nil {
		s.following.leave()
	}
	s.going.Wait()
	if s.following != nil {
		err = errors.Join(err, s.following.close())
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close()) // last: the next service may begin
	}
	return err
}

package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"

	"github.com/gemini-monitor/gemini/examples/layerfs/mounts"
	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/internal/varlink"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// Busy reports that processes use a mount.
type Busy struct {
	Runtimes []Runtime     `json:"runtimes,omitempty"`
	Users    []mounts.User `json:"users,omitempty"`
}

// Error names the runtimes and the processes.
func (b *Busy) Error() string {
	var text strings.Builder
	text.WriteString("the mount is in use")
	for _, r := range b.Runtimes {
		fmt.Fprintf(&text, "\n  runtime %s, processes %s", r.Name, strings.Trim(fmt.Sprint(r.Members), "[]"))
	}
	for _, u := range b.Users {
		fmt.Fprintf(&text, "\n  process %d (%s) %s", u.PID, u.Command, u.How)
	}
	return text.String()
}

// call has the service of a place carry out a method.
func (p Place) call(ctx context.Context, method string, in, out any) error {
	conn, err := p.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	err = varlink.Call(ctx, conn, method, in, out)
	refused, ok := errors.AsType[*varlink.Error](err)
	switch {
	case ok && refused.Name == errorBusy:
		var busy Busy
		if failed := refused.Decode(&busy); failed != nil {
			return failed
		}
		return &busy
	case ok && refused.Reason() != "":
		return errors.New(refused.Reason())
	}
	return err
}

func (p Place) dial(ctx context.Context) (*net.UnixConn, error) {
	conn, err := unixsocket.Dial(ctx, p.socket())
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unixsocket.ErrRefused) {
		return nil, fmt.Errorf("%w for %s; start it with \"layerfs serve %s\"", ErrNotServed, p.Point, p.Point)
	}
	if err != nil {
		return nil, err
	}
	if user, err := unixsocket.UserOf(conn); err != nil || user != os.Geteuid() {
		conn.Close()
		return nil, fmt.Errorf("user %d listens at %s: %w", user, p.socket(), errors.Join(monitor.ErrUnsafe, err))
	}
	return conn, nil
}

// Status asks the service of a place what it serves.
func (p Place) Status(ctx context.Context) (s Status, err error) {
	return s, p.call(ctx, methodStatus, struct{}{}, &s)
}

// Unmount has the service of a place unmount, and end. With force the processes of all
// runtimes are ended first. The error is a [Busy] where processes use the mount.
func (p Place) Unmount(ctx context.Context, force bool) error {
	return p.call(ctx, methodUnmount, unmountIn{force}, nil)
}

// A Keeper has the service of a place watch a runtime, or the resident monitor of its store. It
// is a [monitor.Keeper].
type Keeper struct {
	Place   Place
	Payload Payload
}

// Watch implements [monitor.Keeper]. The layers are shown before the runtime is watched: from
// its first call on, each process sees them.
func (k Keeper) Watch(ctx context.Context, r *monitor.Runtime) error {
	if err := k.Payload.write(r); err != nil {
		return err
	}
	var out residentOut
	err := k.Place.call(ctx, methodWatch, nameIn{r.Name()}, &out)
	if err != nil || !out.Resident {
		return err
	}
	client, err := k.Place.residentClient()
	if err != nil {
		return err
	}
	return client.Watch(ctx, r)
}

// Leave implements [monitor.Keeper].
func (k Keeper) Leave(ctx context.Context, r *monitor.Runtime) {
	_ = k.Place.call(ctx, methodLeave, nameIn{r.Name()}, nil)
	if client, err := k.Place.residentClient(); err == nil {
		client.Leave(ctx, r) // nothing where the service itself watches it
	}
}

// Count implements [monitor.Counter] for a runtime.
func (p Place) Count(r *monitor.Runtime) monitor.Counter {
	return func(ctx context.Context, owner process.Identity, strangers []process.Identity) error {
		var out residentOut
		err := p.call(ctx, methodJoin, joinIn{r.Name(), owner, strangers}, &out)
		if err != nil || !out.Resident {
			return err
		}
		ask := func() error { return resident.Join(ctx, p.Store, r, owner, strangers) }
		if err = ask(); errors.Is(err, resident.ErrUnwatched) {
			if client, missing := p.residentClient(); missing == nil {
				if _, failed := client.Adopt(ctx); failed == nil {
					err = ask()
				}
			}
		}
		return err
	}
}

package service

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/gemini-monitor/gemini/examples/layerfs/mounts"
	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/internal/varlink"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

const (
	interfaceName = "io.github.gemini-monitor.layerfs"

	methodWatch   = interfaceName + ".Watch"
	methodLeave   = interfaceName + ".Leave"
	methodJoin    = interfaceName + ".Join"
	methodStatus  = interfaceName + ".Status"
	methodUnmount = interfaceName + ".Unmount"

	errorFailed = interfaceName + ".Failed"
	errorBusy   = interfaceName + ".Busy"
)

const description = `# One service shows each process tree its own layers at one mount.
interface ` + interfaceName + `

type Identity (pid: int, start: int, boot: string)

type Runtime (name: string, owner: Identity, edit: bool, layers: []string, members: []int, broken: ?string)

type User (pid: int, command: string, how: string)

# Shows the runtime whose owner is the calling process its layers. Answers when the runtime is
# watched, or that the resident monitor of the store is to watch it.
method Watch(name: string) -> (resident: ?bool)

# Ends showing and watching the runtime whose owner is the calling process, and leaves it as it is.
method Leave(name: string) -> ()

# Makes the calling process a member of the runtime of an owner, or answers that the resident
# monitor of the store is to do it.
method Join(name: string, owner: Identity, strangers: ?[]Identity) -> (resident: ?bool)

method Status() -> (process: Identity, mount: string, self: bool, resident: bool, runtimes: []Runtime)

# Unmounts, and ends the service. With force the processes of all runtimes are ended first.
method Unmount(force: bool) -> ()

# Processes use the mount.
error Busy (runtimes: []Runtime, users: []User)

error Failed (reason: string)
`

// What requests and replies carry.
type (
	nameIn struct {
		Name string `json:"name"`
	}
	joinIn struct {
		Name      string             `json:"name"`
		Owner     process.Identity   `json:"owner"`
		Strangers []process.Identity `json:"strangers,omitempty"`
	}
	// residentOut is the answer that the resident monitor is to do it.
	residentOut struct {
		Resident bool `json:"resident,omitempty"`
	}
	unmountIn struct {
		Force bool `json:"force"`
	}
)

// A Runtime is what the service has of one runtime.
type Runtime struct {
	Name    string           `json:"name"`
	Owner   process.Identity `json:"owner"`
	Edit    bool             `json:"edit"`
	Layers  []string         `json:"layers"`
	Members []int            `json:"members"`
	Broken  string           `json:"broken,omitempty"`
}

// A Status is what a service tells of itself.
type Status struct {
	Process process.Identity `json:"process"`
	Mount   string           `json:"mount"`
	Self    bool             `json:"self"`
	// Resident: the service follows no process, and asks the resident monitor of the store.
	Resident bool      `json:"resident"`
	Runtimes []Runtime `json:"runtimes"`
}

func (s *server) methods() *varlink.Server {
	return &varlink.Server{
		Service: varlink.Service{
			Vendor: "Gemini", Product: "layerfs", Version: "example", URL: "https://github.com/gemini-monitor/gemini",
			Report: func(err error) { s.Log.Error("a request failed", "error", err) },
			Interfaces: []varlink.Interface{{
				Name: interfaceName, Description: description,
				Methods: map[string]varlink.Method{
					"Watch": s.takeOn, "Leave": s.leaveOne, "Join": s.join, "Status": s.status, "Unmount": s.unmount,
				},
			}},
		},
		Admit:          admit,
		MaxConnections: 1024,
	}
}

// admit refuses other users. The mode of the store keeps them out already.
func admit(conn *net.UnixConn) error {
	user, err := unixsocket.UserOf(conn)
	if err == nil && user != os.Geteuid() {
		err = fmt.Errorf("the service is for user %d, not user %d", os.Geteuid(), user)
	}
	return err
}

func failed(err error) error { return varlink.NewError(errorFailed, err.Error()) }

// takeOn is the method Watch.
func (s *server) takeOn(ctx context.Context, r *varlink.Request) (any, error) {
	var in nameIn
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	peer, err := unixsocket.PeerOf(r.Conn())
	var runtime *monitor.Runtime
	if err == nil {
		runtime, err = s.Place.Store.Runtime(in.Name)
	}
	if err == nil {
		err = s.following.take(ctx, runtime, peer.Process)
	}
	if err == nil && unixsocket.HungUp(r.Conn()) {
		s.following.end(in.Name, peer.Process) // the owner removes the runtime itself
		err = fmt.Errorf("the client has hung up")
	}
	if err != nil {
		return nil, failed(err)
	}
	return residentOut{s.Resident}, nil
}

func (s *server) leaveOne(_ context.Context, r *varlink.Request) (any, error) {
	var in nameIn
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	peer, err := unixsocket.PeerOf(r.Conn())
	if err != nil {
		return nil, failed(err)
	}
	s.following.end(in.Name, peer.Process)
	return struct{}{}, nil
}

func (s *server) join(ctx context.Context, r *varlink.Request) (any, error) {
	var in joinIn
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	peer, err := unixsocket.PeerOf(r.Conn())
	if err == nil {
		conn := r.Conn()
		err = s.following.join(ctx, in.Name, in.Owner, monitor.Newcomer{
			Process: peer.Process, Strangers: in.Strangers, Left: func() bool { return unixsocket.HungUp(conn) },
		})
	}
	if err != nil {
		return nil, failed(err)
	}
	return residentOut{s.Resident}, nil
}

func (s *server) status(ctx context.Context, _ *varlink.Request) (any, error) {
	runtimes, err := s.following.runtimes(ctx)
	if err != nil {
		return nil, failed(err)
	}
	return Status{Process: s.self, Mount: s.Place.Point, Self: s.Self, Resident: s.Resident, Runtimes: runtimes}, nil
}

// grace is how long processes have between SIGTERM and SIGKILL.
const grace = 5 * time.Second

// unmount is the method Unmount.
func (s *server) unmount(ctx context.Context, r *varlink.Request) (any, error) {
	var in unmountIn
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	s.following.stop(ctx, in.Force)
	left, err := s.following.runtimes(ctx)
	if err != nil {
		return nil, failed(err)
	}
	busy := Busy{Runtimes: left}
	if len(busy.Runtimes) > 0 {
		return nil, &varlink.Error{Name: errorBusy, Parameters: busy}
	}
	err = mounts.Remove(s.Place.Point)
	if err != nil && in.Force {
		err = mounts.Detach(s.Place.Point)
	}
	if err != nil {
		if found, failed := mounts.At(s.Place.Point); failed == nil {
			busy.Users = mounts.UsersOf(found)
		}
		if len(busy.Users) > 0 {
			return nil, &varlink.Error{Name: errorBusy, Parameters: busy}
		}
		return nil, failed(err)
	}
	s.doneOnce.Do(func() { close(s.done) })
	return struct{}{}, nil
}

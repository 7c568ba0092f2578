package resident

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/internal/varlink"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// The interface of a resident, and its errors. They never change; what a later version
// adds has another name.
const (
	interfaceName = "io.github.gemini-monitor"

	methodWatch    = interfaceName + ".Watch"
	methodLeave    = interfaceName + ".Leave"
	methodAdopt    = interfaceName + ".Adopt"
	methodStatus   = interfaceName + ".Status"
	methodCount    = interfaceName + ".Count"
	methodWhich    = interfaceName + ".Which"
	methodHandOver = interfaceName + ".HandOver"
	methodStop     = interfaceName + ".Stop"
	methodJoin     = interfaceName + ".Join"
	methodRelease  = interfaceName + ".Release"
	methodRoute    = interfaceName + ".Route"

	methodForgoOnEmpty = interfaceName + ".ForgoOnEmpty"

	errorForeign = interfaceName + ".Foreign"
	errorOlder   = interfaceName + ".Older"
	errorLeaving = interfaceName + ".Leaving"
	errorFailed  = interfaceName + ".Failed"

	errorUnwatched = interfaceName + ".Unwatched"
)

// description is the interface in the language of varlink.
const description = `# One resident watches all runtimes of a store.
interface ` + interfaceName + `

type Identity (pid: int, start: int, boot: string)

type Finding (name: string, outcome: string, reason: ?string)

type Delays (counts: ?[]int, seconds: float)

# Watches the runtime whose owner is the calling process, and answers when it is watched.
method Watch(name: string, version: ?string) -> (monitor: Identity)

# Ends watching the runtime whose owner is the calling process, and leaves it as it is.
method Leave(name: string) -> ()

# Takes over every runtime of the store that has no monitor.
method Adopt() -> (found: []Finding)

method Status() -> (process: Identity, version: string, guard: ?int, runtimes: int, started: string)

# Returns what the resident has counted since it began: members, reads of the process table
# and the processor time in seconds that they took, and how long after the report of the last
# exit runtimes were removed: how many within each of the bounds, and how many later.
method Count() -> (mechanism: string, forks: string, joined: int, left: int, unknown: int, reads: int, reading: float, bounds: []float, gone: Delays)

# Returns the name of the innermost runtime that the process with a PID is a member of now, and
# none where it is a member of none that the resident watches. With the boot of an identity of
# the caller, a caller in another PID namespace gets the error Foreign.
method Which(pid: int, boot: ?string) -> (name: ?string)

# Returns the innermost runtime that a process is a member of now, by name and owner, and none
# where it is a member of none that the resident watches. On Linux the ID of a thread serves as
# well. It is for a service that asks again and again, on one connection. A caller with another
# boot is in another PID namespace and gets the error Foreign.
method Route(pid: int, boot: string) -> (name: ?string, owner: ?Identity)

# Ends the resident and leaves all runtimes as they are, for a newer program to go on.
method HandOver(version: string) -> ()

type Survivor (pid: int, start: int, boot: string, command: string, user: int, reason: string)

# Has the members of the runtime of an owner end: they get a signal, and those that live when
# the grace in seconds is over are killed. Answers when the runtime was removed or is idle, or with the
# members that do not end, or that it is empty and stays, for a reason that its record has.
method Stop(name: string, owner: Identity, signal: int, grace: float) -> (members: ?[]Survivor, empty: ?bool)

# Makes the calling process a member of the runtime of an owner, and answers when it is watched
# and in the journal. The caller holds the lease already. Strangers are processes that it has
# made before, or that are in a group or session of its making: they do not join with it.
method Join(name: string, owner: Identity, strangers: ?[]Identity) -> ()

# Has a process of the runtime of an owner count no more, nor what descends from it. Answers when
# the journal has that, if it can be written.
method Release(name: string, owner: Identity, process: Identity) -> ()

# Gives the on-empty command of the runtime of an owner up: it is killed if it runs, and not run
# again. Answers when the record has that, if it can be written.
method ForgoOnEmpty(name: string, owner: Identity) -> ()

# The process that was asked does not watch the runtime.
error Unwatched (reason: string)

# The caller is in another PID namespace.
error Foreign (reason: string)

# The resident is of an older version than the caller. It can be asked to hand over.
error Older (version: string)

# The resident is about to end. The lock of the store is free soon.
error Leaving ()

error Failed (reason: string)
`

// projectURL is where the project is.
const projectURL = "https://github.com/gemini-monitor/gemini"

// ownDescription is the interface of the monitor of a single runtime: the part about Stop, Join,
// Release and ForgoOnEmpty.
var ownDescription = `# A monitor watches one runtime.
interface ` + interfaceName + `

type Identity (pid: int, start: int, boot: string)

` + part(description, "type Survivor", "# The resident is of") + `
error Leaving ()

error Failed (reason: string)
`

// part returns what is from one text on and before another.
func part(text, from, before string) string {
	_, text, _ = strings.Cut(text, from)
	text, _, _ = strings.Cut(text, before)
	return from + strings.TrimRight(text, "\n") + "\n"
}

// What requests and replies carry.
type (
	watchIn struct {
		Name    string `json:"name"`
		Version string `json:"version,omitempty"`
	}
	watchOut struct {
		Monitor process.Identity `json:"monitor"`
	}
	nameIn struct {
		Name string `json:"name"`
	}
	adoptOut struct {
		Found []Finding `json:"found"`
	}
	versionIn struct {
		Version string `json:"version"`
	}
)

// A Status is what a resident tells of itself.
type Status struct {
	Process process.Identity `json:"process"`
	Version string           `json:"version"`
	// Guard is the PID of the process that starts it anew, 0 for none.
	Guard int `json:"guard,omitempty"`
	// Runtimes is how many it watches.
	Runtimes int       `json:"runtimes"`
	Started  time.Time `json:"started"`
}

// methods returns the protocol of the resident.
func (s *server) methods() *varlink.Server {
	return &varlink.Server{
		Service: varlink.Service{
			Vendor: "Gemini", Product: "monitor", Version: s.Version, URL: projectURL,
			Report: func(err error) { s.Log.Error("a request failed", "error", err) },
			Interfaces: []varlink.Interface{{
				Name: interfaceName, Description: description,
				Methods: map[string]varlink.Method{
					"Watch":    s.counted(s.watch),
					"Leave":    s.counted(s.leaveOne),
					"Adopt":    s.counted(s.adopt),
					"Status":   s.status,
					"Count":    s.count,
					"Which":    s.which,
					"Route":    s.route,
					"HandOver": s.handOver,
					"Stop":     s.counted(ordered[stopIn](s.watchingOf)),
					"Join":     s.counted(s.changing(s.join)),
					"Release":  s.counted(s.changing(ordered[releaseIn](s.watchingOf))),

					"ForgoOnEmpty": s.counted(ordered[forgoIn](s.watchingOf)),
				},
			}},
		},
		Admit:          admit,
		Idle:           s.answer,
		MaxConnections: 1024,
	}
}

// admit refuses other users. The mode of the store keeps them out already.
func admit(conn *net.UnixConn) error {
	user, err := unixsocket.UserOf(conn)
	if err == nil && user != os.Geteuid() {
		err = fmt.Errorf("the resident monitor serves user %d, not user %d", os.Geteuid(), user)
	}
	return err
}

// changing is a method after which processes may be in other runtimes.
func (s *server) changing(m varlink.Method) varlink.Method {
	return func(ctx context.Context, r *varlink.Request) (any, error) {
		defer s.watches.finder.Changed()
		return m(ctx, r)
	}
}

// counted is a method during which the resident is not idle.
func (s *server) counted(method varlink.Method) varlink.Method {
	return func(ctx context.Context, r *varlink.Request) (any, error) {
		s.mu.Lock()
		s.busy++
		s.asked = true
		s.mu.Unlock()
		s.sweeping.want() // a start of that name, or another, may have died
		defer s.stirred()
		defer s.work(-1)
		return method(ctx, r)
	}
}

func (s *server) watch(_ context.Context, r *varlink.Request) (any, error) {
	var in watchIn
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	if older(s.Version, in.Version) {
		return nil, &varlink.Error{Name: errorOlder, Parameters: versionIn{s.Version}}
	}
	peer, err := unixsocket.PeerOf(r.Conn())
	if err != nil {
		return nil, refusal(err)
	}
	if unixsocket.HungUp(r.Conn()) {
		return nil, refusal(errHungUp) // a letter from before this process was stopped
	}
	runtime, err := s.Store.Runtime(in.Name)
	if err != nil {
		return nil, refusal(err)
	}
	if _, err = s.watches.begin(runtime, peer.Process, true); err != nil {
		return nil, refusal(err)
	}
	if unixsocket.HungUp(r.Conn()) {
		// The owner has another monitor begin, or removes the runtime itself.
		s.watches.end(in.Name, peer.Process)
		return nil, refusal(errHungUp)
	}
	return watchOut{s.self}, nil
}

// errHungUp reports a client that does not wait any more.
var errHungUp = errors.New("the client has hung up")

func (s *server) leaveOne(_ context.Context, r *varlink.Request) (any, error) {
	var in nameIn
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	peer, err := unixsocket.PeerOf(r.Conn())
	if err != nil {
		return nil, refusal(err)
	}
	s.watches.end(in.Name, peer.Process)
	return struct{}{}, nil
}

func (s *server) adopt(context.Context, *varlink.Request) (any, error) {
	<-s.settled
	found, err := s.watches.adopt(s.Store)
	if err != nil {
		return nil, refusal(err)
	}
	return adoptOut{together(s.justFound(), found)}, nil
}

// justFound returns what this process has found when it began, once: for the client that
// has started it and is asking now.
func (s *server) justFound() (found []Finding) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.started) < welcome {
		found = s.early
	}
	s.early = nil
	return found
}

func (s *server) status(context.Context, *varlink.Request) (any, error) {
	return Status{s.self, s.Version, s.Guard.PID(), s.watches.count(), s.started}, nil
}

// handOver ends the resident after the reply.
func (s *server) handOver(_ context.Context, r *varlink.Request) (any, error) {
	var in versionIn
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	if !older(s.Version, in.Version) {
		return nil, refusal(fmt.Errorf("version %s serves, and %q is not newer", s.Version, in.Version))
	}
	s.Log.Info("a newer program asks to take over", "version", in.Version)
	s.handOnce.Do(func() { close(s.handed) })
	return struct{}{}, nil
}

// refusal is an error as the protocol has it.
func refusal(err error) error {
	switch {
	case errors.Is(err, unixsocket.ErrForeign):
		return varlink.NewError(errorForeign, err.Error())
	case errors.Is(err, errLeaving):
		return &varlink.Error{Name: errorLeaving, Parameters: struct{}{}}
	}
	return varlink.NewError(errorFailed, err.Error())
}

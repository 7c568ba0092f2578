// Package varlink serves and calls the varlink protocol (https://varlink.org) over Unix
// sockets: JSON objects, each ended by a zero byte.
//
//	{"method": "org.example.Name", "parameters": {...}}
//	{"parameters": {...}}
//	{"error": "org.example.Wrong", "parameters": {...}}
//
// So a service can be asked without a program of its own:
//
//	printf '{"method":"org.varlink.service.GetInfo"}\0' | nc -U SOCKET
//	varlinkctl info SOCKET
//
// It has what the services of this module need, and no more: one reply to each request, no
// streams of replies and no upgrade of a connection.
package varlink

import (
	"encoding/json"
	"fmt"
)

// The errors that every varlink service has (org.varlink.service).
const (
	InterfaceNotFound = standardName + ".InterfaceNotFound"
	MethodNotFound    = standardName + ".MethodNotFound"
	InvalidParameter  = standardName + ".InvalidParameter"
)

// The errors of this package. Each has the parameter reason, in plain words.
const (
	// InvalidRequest answers what is no request. The connection is closed after it.
	InvalidRequest = ownName + ".InvalidRequest"
	// Busy answers a connection that is one too many, and closes it. Later one may succeed.
	Busy = ownName + ".Busy"
	// NotPermitted answers a client that is not admitted, and closes the connection.
	NotPermitted = ownName + ".NotPermitted"
	// Failed answers a request that a method could not carry out, by a panic too.
	Failed = ownName + ".Failed"
)

const (
	standardName = "org.varlink.service"
	ownName      = "io.github.gemini-monitor.connection"
)

// An Error is an error reply: one that a method returns, or that [Call] has received.
type Error struct {
	// Name is the interface and the name of the error.
	Name string
	// Parameters become a JSON object. A received error has them as [json.RawMessage].
	Parameters any
}

// reasoned is the parameters of the errors of this package.
type reasoned struct {
	Reason string `json:"reason"`
}

// NewError returns an error with the one parameter reason.
func NewError(name, reason string) *Error { return &Error{name, reasoned{reason}} }

// WrongParameter returns the error that a request has no, or a wrong, parameter of a name.
func WrongParameter(name string) *Error {
	return &Error{InvalidParameter, map[string]string{"parameter": name}}
}

// Error returns the name, and the reason or all parameters.
func (e *Error) Error() string {
	if reason := e.Reason(); reason != "" {
		return e.Name + ": " + reason
	}
	text, err := json.Marshal(e.Parameters)
	if err != nil || e.Parameters == nil || string(text) == "null" || string(text) == "{}" {
		return e.Name
	}
	return e.Name + ": " + string(text)
}

// Reason returns the parameter reason, or nothing where there is none.
func (e *Error) Reason() string {
	var r reasoned
	if e.Decode(&r) != nil {
		return ""
	}
	return r.Reason
}

// Decode reads the parameters into a struct.
func (e *Error) Decode(into any) error {
	text, err := json.Marshal(e.Parameters)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return fmt.Errorf("parameters of %s: %w", e.Name, err)
	}
	return nil
}

// A reply is what a service sends. It has Parameters also where these are empty: sd-varlink
// before 257 insists on them.
type reply struct {
	Error      string `json:"error,omitempty"`
	Parameters any    `json:"parameters"`
}

// encodeReply returns a message: the reply to a request that gave a result or an error.
func encodeReply(result any, err *Error) ([]byte, error) {
	r := reply{Parameters: result}
	if err != nil {
		r = reply{err.Name, err.Parameters}
	}
	if r.Parameters == nil {
		r.Parameters = struct{}{}
	}
	text, failed := json.Marshal(r)
	return append(text, 0), failed
}

package varlink

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
)

// A Request is what a method gets to answer.
type Request struct {
	// Method is the interface and the name of the method.
	Method     string
	parameters json.RawMessage
	conn       *net.UnixConn
}

// Conn returns the connection of the request, to ask the kernel about the client. A method
// neither reads, writes nor closes it.
func (r *Request) Conn() *net.UnixConn { return r.conn }

// Decode reads the parameters into a struct. Parameters that the struct does not have are
// ignored, as a newer client may send more. One of another type is an [InvalidParameter],
// which a method returns as it is. A parameter that is missing leaves the field as it was.
func (r *Request) Decode(into any) error {
	if len(r.parameters) == 0 {
		return nil
	}
	err := json.Unmarshal(r.parameters, into)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		return WrongParameter(wrong.Field)
	}
	if err != nil {
		return &Error{InvalidParameter, map[string]string{"parameter": "parameters", "reason": err.Error()}}
	}
	return nil
}

// A message is a request as it is sent.
type message struct {
	Method     string          `json:"method"`
	Parameters json.RawMessage `json:"parameters,omitempty"`
	Oneway     bool            `json:"oneway,omitempty"`
	More       bool            `json:"more,omitempty"`
	Upgrade    bool            `json:"upgrade,omitempty"`
}

// parse reads a request. An error says in plain words why it is none.
func parse(text []byte) (m message, err error) {
	if err := json.Unmarshal(text, &m); err != nil {
		return message{}, fmt.Errorf("a request is a JSON object: %w", err)
	}
	if bytes.Equal(m.Parameters, []byte("null")) {
		m.Parameters = nil
	}
	switch object, name := split(m.Method); {
	case m.Method == "":
		return message{}, errors.New("it names no method")
	case object == "" || name == "":
		return message{}, fmt.Errorf("its method is %q, which has no interface", m.Method)
	case len(m.Parameters) > 0 && m.Parameters[0] != '{':
		return message{}, errors.New("its parameters are no JSON object")
	case m.Upgrade:
		return message{}, errors.New("the connection cannot be upgraded to another protocol")
	}
	return m, nil
}

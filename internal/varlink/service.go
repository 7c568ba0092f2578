package varlink

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
)

// A Service answers the methods of its interfaces, and those of org.varlink.service. Its
// fields are not changed once it serves.
type Service struct {
	Vendor, Product, Version, URL string
	Interfaces                    []Interface
	// Report is told of what the client is not: the panic of a method, with its stack. It
	// may be called by several goroutines at once.
	Report func(error)
}

// An Interface has the methods of one varlink interface.
type Interface struct {
	// Name is the name of the interface, and Description its definition in the language
	// of varlink.
	Name, Description string
	// Methods has each method by its name without the interface.
	Methods map[string]Method
}

// A Method answers a request. The reply becomes a JSON object; nil is an empty one. An
// [*Error] is sent as it is, and any other error as [Failed]. ctx ends when the server
// stops, and not when the client hangs up.
type Method func(ctx context.Context, r *Request) (reply any, err error)

// split returns interface and name of a method.
func split(method string) (object, name string) {
	dot := strings.LastIndexByte(method, '.')
	if dot < 0 {
		return "", method
	}
	return method[:dot], method[dot+1:]
}

// call answers a request, whatever its method does.
func (s *Service) call(ctx context.Context, r *Request) (reply any, failed *Error) {
	defer func() {
		if cause := recover(); cause != nil {
			s.report(fmt.Errorf("%s: panic: %v\n%s", r.Method, cause, debug.Stack()))
			reply, failed = nil, NewError(Failed, fmt.Sprintf("%s: internal error: %v", r.Method, cause))
		}
	}()
	method, failed := s.find(r.Method)
	if failed != nil {
		return nil, failed
	}
	reply, err := method(ctx, r)
	if err == nil {
		return reply, nil
	}
	if named, ok := errors.AsType[*Error](err); ok {
		return nil, named
	}
	return nil, NewError(Failed, err.Error())
}

func (s *Service) report(err error) {
	if s.Report != nil {
		s.Report(err)
	}
}

func (s *Service) find(method string) (Method, *Error) {
	object, name := split(method)
	for _, i := range s.all() {
		if i.Name != object {
			continue
		}
		if found := i.Methods[name]; found != nil {
			return found, nil
		}
		return nil, &Error{MethodNotFound, map[string]string{"method": method}}
	}
	return nil, &Error{InterfaceNotFound, map[string]string{"interface": object}}
}

// all returns the interfaces, with the two that every service of this package has.
func (s *Service) all() []Interface {
	standard := Interface{standardName, standardText, map[string]Method{
		"GetInfo": s.info, "GetInterfaceDescription": s.describe,
	}}
	return append([]Interface{standard, {Name: ownName, Description: ownText}}, s.Interfaces...)
}

func (s *Service) info(context.Context, *Request) (any, error) {
	var names []string
	for _, i := range s.all() {
		names = append(names, i.Name)
	}
	return map[string]any{
		"vendor": s.Vendor, "product": s.Product, "version": s.Version, "url": s.URL, "interfaces": names,
	}, nil
}

func (s *Service) describe(_ context.Context, r *Request) (any, error) {
	var asked struct {
		Interface string `json:"interface"`
	}
	if err := r.Decode(&asked); err != nil {
		return nil, err
	}
	if asked.Interface == "" {
		return nil, WrongParameter("interface")
	}
	for _, i := range s.all() {
		if i.Name == asked.Interface {
			return map[string]string{"description": i.Description}, nil
		}
	}
	return nil, &Error{InterfaceNotFound, map[string]string{"interface": asked.Interface}}
}

// standardText is the definition of the interface that every varlink service has
// (https://varlink.org/Service), as far as this package has it.
const standardText = `# Describes the service and the interfaces that it has.
interface org.varlink.service

# Returns who made the service, and the names of its interfaces.
method GetInfo() -> (
  vendor: string,
  product: string,
  version: string,
  url: string,
  interfaces: []string
)

# Returns the definition of an interface.
method GetInterfaceDescription(interface: string) -> (description: string)

# The service does not have the interface.
error InterfaceNotFound (interface: string)

# The interface does not have the method.
error MethodNotFound (method: string)

# A parameter is missing or wrong.
error InvalidParameter (parameter: string)
`

const ownText = `# The errors that answer a connection, or a request to any interface.
interface io.github.gemini-monitor.connection

# What came is no request. The connection is closed.
error InvalidRequest (reason: string)

# The service has too many connections. This one is closed; a later one may succeed.
error Busy (reason: string)

# The client may not ask the service. The connection is closed.
error NotPermitted (reason: string)

# The method could not carry out the request.
error Failed (reason: string)
`

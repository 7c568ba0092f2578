package resident

import (
	"context"
	"log/slog"
	"path/filepath"

	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/internal/varlink"
	"github.com/gemini-monitor/gemini/monitor"
)

// ownSocket returns where the monitor of a single runtime answers.
func ownSocket(r *monitor.Runtime) string { return filepath.Join(r.Dir(), "monitor.sock") }

// An Own answers for the monitor of a single runtime, at a socket in the directory of the
// runtime. It has the methods Stop, Join, Release and ForgoOnEmpty of a resident.
type Own struct {
	door     *unixsocket.Listener
	protocol *varlink.Server
}

// ServeOwn begins to answer for a runtime that the calling process watches.
func ServeOwn(r *monitor.Runtime, w *monitor.Watching, version string, log *slog.Logger) (*Own, error) {
	path := ownSocket(r)
	if err := unixsocket.Remove(path); err != nil { // a killed monitor has left it
		return nil, err
	}
	door, err := unixsocket.Listen(path)
	if err != nil {
		return nil, err
	}
	theOnly := func(key) (*monitor.Watching, error) { return w, nil }
	o := &Own{door: door, protocol: &varlink.Server{
		Service: varlink.Service{
			Vendor: "Gemini", Product: "monitor", Version: version, URL: projectURL,
			Report: func(err error) { log.Error("a request failed", "error", err) },
			Interfaces: []varlink.Interface{{
				Name: interfaceName, Description: ownDescription,
				Methods: map[string]varlink.Method{
					"Stop":         ordered[stopIn](theOnly),
					"Release":      ordered[releaseIn](theOnly),
					"ForgoOnEmpty": ordered[forgoIn](theOnly),
					"Join": func(ctx context.Context, r *varlink.Request) (any, error) {
						var in joinIn
						if err := r.Decode(&in); err != nil {
							return nil, err
						}
						return in.carryOut(ctx, r.Conn(), w)
					},
				},
			}},
		},
		Admit: admit,
	}}
	go func() {
		if err := o.protocol.Serve(context.Background(), door); err != nil {
			log.Error("the socket accepts no connection any more", "error", err)
		}
	}()
	return o, nil
}

// Close ends answering. It is called when the watching has ended, so that requests which are in
// work get their answers.
func (o *Own) Close() {
	limited, done := context.WithTimeout(context.Background(), quick)
	defer done()
	_ = o.door.Close()
	_ = o.protocol.Wait(limited)
}

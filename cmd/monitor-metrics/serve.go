package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/gemini-monitor/gemini/monitor"
)

// patience is how long the resident monitor may take to answer, and a client to ask.
const patience = 2 * time.Second

// serve serves the metrics of a store until ctx ends. It calls begun with the URL as soon as
// clients can connect.
func serve(ctx context.Context, store *monitor.Store, address string, log *slog.Logger, begun func(where string)) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler(store, log), ReadHeaderTimeout: patience, WriteTimeout: 4 * patience}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	begun("http://" + l.Addr().String() + "/metrics")
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func handler(store *monitor.Store, log *slog.Logger) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(&collector{store: store, log: log})
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	return mux
}

// Monitor-metrics serves the metrics of a store of runtimes to Prometheus.
//
// It asks the resident monitor of the store, and reads the files of the store, at each
// scrape. It starts no monitor and changes nothing. It is a program of its own, because
// what it is made of would slow down each start of "monitor run".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/gemini-monitor/gemini/monitor"
)

func main() {
	dir := flag.String("store", os.Getenv(monitor.EnvStore), "the directory of the runtimes (default $MONITOR_STORE, else the user's state directory)")
	address := flag.String("listen", "127.0.0.1:0", "where to serve /metrics; without a host on 127.0.0.1, port 0 is a free one")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(ctx, *dir, *address, log); err != nil {
		fmt.Fprintln(os.Stderr, "monitor-metrics:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, dir, address string, log *slog.Logger) error {
	if dir == "" {
		var err error
		if dir, err = monitor.DefaultDir(); err != nil {
			return err
		}
	}
	store, err := monitor.Open(dir)
	if err != nil {
		return err
	}
	address, err = local(address)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler(store, log), ReadHeaderTimeout: patience, WriteTimeout: 4 * patience}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	log.Info("serving", "store", store.Dir(), "address", "http://"+l.Addr().String()+"/metrics")
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// patience is how long the resident monitor may take to answer, and a client to ask.
const patience = 2 * time.Second

// local returns an address to listen at. Without a host it is the loopback address.
func local(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("-listen takes HOST:PORT or :PORT: %w", err)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}

func handler(store *monitor.Store, log *slog.Logger) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(&collector{store: store, log: log})
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	return mux
}

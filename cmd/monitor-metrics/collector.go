package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
)

// A collector collects the metrics of a store.
type collector struct {
	store *monitor.Store
	log   *slog.Logger
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("monitor_"+name, help, labels, nil)
}

var (
	runtimes = describe("runtimes", "Runtimes of the store, by state.", "state")
	members  = describe("members", "Live members of all runtimes of the store.")
	up       = describe("resident_up", "Whether a resident monitor answers. It ends when it has nothing to watch.")
	info     = describe("resident_info", "What the resident monitor is.", "version", "mechanism", "forks")
	started  = describe("resident_start_time_seconds", "When the resident monitor began. It counts from then on.")
	watched  = describe("resident_runtimes", "Runtimes that the resident monitor watches.")
	joined   = describe("members_joined_total", "Processes that became members, those that were taken over included.")
	left     = describe("members_left_total", "Members that have ended.")
	unknown  = describe("verdicts_unknown_total", "How often it became unknown whether a runtime has members.")
	reads    = describe("table_reads_total", "Reads of the process table.")
	reading  = describe("table_read_seconds_total", "Processor time of these reads.")
	gone     = describe("exit_to_gone_seconds", "From the report of the last exit until the runtime was removed.")
)

// states are always there, so that none looks as if it were not measured.
var states = []monitor.State{
	monitor.StateStarting, monitor.StateRunning, monitor.StateUnmonitored,
	monitor.StateStopping, monitor.StateIdle, monitor.StateUnknown, monitor.StateBroken,
}

// Describe implements [prometheus.Collector].
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{runtimes, members, up, info, started, watched, joined, left, unknown, reads, reading, gone} {
		to <- d
	}
}

// Collect implements [prometheus.Collector].
func (c *collector) Collect(to chan<- prometheus.Metric) {
	c.collectStore(to)
	c.collectResident(to)
}

// collectStore collects what the files of the store and the process table show.
func (c *collector) collectStore(to chan<- prometheus.Metric) {
	var all []monitor.Status
	survey, err := c.store.Survey()
	if err == nil {
		all, err = survey.All()
	}
	if err != nil {
		c.log.Warn("the store cannot be read", "error", err)
		to <- prometheus.NewInvalidMetric(runtimes, err)
		return
	}
	many, alive := make(map[monitor.State]int), 0
	for _, s := range all {
		many[s.State]++
		alive += len(s.Members)
	}
	for _, state := range states {
		to <- gauge(runtimes, float64(many[state]), string(state))
	}
	to <- gauge(members, float64(alive))
}

// collectResident collects what the resident monitor has counted. Where none answers, there
// is nothing of it.
func (c *collector) collectResident(to chan<- prometheus.Metric) {
	ctx, done := context.WithTimeout(context.Background(), patience)
	defer done()
	status, tally, err := resident.Ask(ctx, c.store)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) { // none serves
			c.log.Warn("the resident monitor does not answer", "error", err)
		}
		to <- gauge(up, 0)
		return
	}
	to <- gauge(up, 1)
	to <- gauge(info, 1, status.Version, string(tally.Mechanism), tally.Forks)
	to <- gauge(started, float64(status.Started.UnixNano())/1e9)
	to <- gauge(watched, float64(status.Runtimes))
	to <- counter(joined, float64(tally.Joined))
	to <- counter(left, float64(tally.Left))
	to <- counter(unknown, float64(tally.Unknown))
	to <- counter(reads, float64(tally.Reads))
	to <- counter(reading, tally.Reading)
	to <- histogram(gone, tally.Bounds, tally.Gone)
}

func gauge(d *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

func counter(d *prometheus.Desc, value float64) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.CounterValue, value)
}

// histogram has the counts of all times up to each bound, as Prometheus wants it.
func histogram(d *prometheus.Desc, bounds []float64, delays monitor.Delays) prometheus.Metric {
	buckets, all := make(map[float64]uint64, len(bounds)), uint64(0)
	for i, bound := range bounds {
		if i < len(delays.Counts) {
			all += uint64(delays.Counts[i])
		}
		buckets[bound] = all
	}
	for _, n := range delays.Counts[min(len(bounds), len(delays.Counts)):] {
		all += uint64(n)
	}
	return prometheus.MustNewConstHistogram(d, all, delays.Seconds, buckets)
}

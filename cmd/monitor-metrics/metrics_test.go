//go:build darwin || linux

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
)

func newStore() *monitor.Store {
	GinkgoHelper()
	dir, err := os.MkdirTemp("", "metrics")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { // a monitor writes the history when the runtime has gone
		Eventually(os.RemoveAll).WithArguments(dir).Should(Succeed())
	})
	s, err := monitor.Open(filepath.Join(dir, "store"))
	Expect(err).NotTo(HaveOccurred())
	return s
}

// scrape returns what Prometheus gets.
func scrape(s *monitor.Store) string {
	GinkgoHelper()
	answer := httptest.NewRecorder()
	handler(s, slog.New(slog.NewTextHandler(GinkgoWriter, nil))).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	Expect(answer.Code).To(Equal(http.StatusOK), answer.Body.String())
	return answer.Body.String()
}

// startResident runs the resident monitor of a store in this process, until the end of the spec.
func startResident(s *monitor.Store) {
	GinkgoHelper()
	log := gbytes.NewBuffer()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- resident.Serve(ctx, resident.Options{
			Store: s, Idle: resident.Forever, Version: "v1.2.3", Log: slog.New(slog.NewTextHandler(io.MultiWriter(log, GinkgoWriter), nil)),
			RuntimeLog: func(*monitor.Runtime) *slog.Logger { return slog.New(slog.DiscardHandler) },
		})
	}()
	DeferCleanup(func() {
		stop()
		Eventually(ended).Should(Receive(BeNil()))
	})
	Eventually(log).Should(gbytes.Say("msg=serving"))
}

// leftBehind starts a process that lives until release is called, and leaves it in a runtime
// that a monitor has watched.
func leftBehind(s *monitor.Store, name string) (release func()) {
	GinkgoHelper()
	cmd := exec.Command("cat")
	gate, err := cmd.StdinPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(cmd.Start()).To(Succeed())
	release = func() {
		_ = gate.Close()
		_ = cmd.Wait()
	}
	DeferCleanup(release)
	owner, err := process.Lookup(cmd.Process.Pid)
	Expect(err).NotTo(HaveOccurred())
	r, err := s.Create(monitor.Creation{Name: name, Command: []string{"cat"}, Owner: owner.Identity})
	Expect(err).NotTo(HaveOccurred())
	t, err := tracker.New(tracker.Options{})
	Expect(err).NotTo(HaveOccurred())
	defer t.Close()
	w, err := r.Attach(context.Background(), t, monitor.Options{})
	Expect(err).NotTo(HaveOccurred())
	Expect(w.Close()).To(Succeed())
	return release
}

var _ = Describe("The metrics of a store", func() {
	It("has every state, and no resident monitor where none serves", func() {
		s := newStore()
		text := scrape(s)
		for _, state := range states {
			Expect(text).To(ContainSubstring(`monitor_runtimes{state="` + string(state) + `"} 0`))
		}
		Expect(text).To(ContainSubstring("monitor_resident_up 0\n"))
		Expect(text).NotTo(ContainSubstring("monitor_members_joined_total"))
		_, err := resident.ReadCard(s)
		Expect(err).To(HaveOccurred(), "a scrape has started a resident monitor")
	})

	It("counts what the resident monitor sees of a runtime", func() {
		s := newStore()
		release := leftBehind(s, "build")
		startResident(s)
		Eventually(scrape).WithArguments(s).Should(And(
			ContainSubstring(`monitor_runtimes{state="running"} 1`),
			ContainSubstring("monitor_members 1\n"),
			ContainSubstring("monitor_resident_up 1\n"),
			ContainSubstring("monitor_resident_runtimes 1\n"),
			MatchRegexp(`monitor_resident_info\{forks="\w+",mechanism="[\w ]+",version="v1\.2\.3"\} 1`),
			MatchRegexp(`monitor_table_reads_total [1-9]`),
			MatchRegexp(`monitor_table_read_seconds_total [0-9.e-]*[1-9]`),
			ContainSubstring("monitor_members_joined_total 1\n"),
			ContainSubstring("monitor_members_left_total 0\n"),
			ContainSubstring("monitor_exit_to_gone_seconds_count 0\n"),
		))

		release()
		Eventually(s.Names).Should(BeEmpty())
		Eventually(scrape).WithArguments(s).Should(And(
			ContainSubstring(`monitor_runtimes{state="running"} 0`),
			ContainSubstring("monitor_members 0\n"),
			ContainSubstring("monitor_resident_runtimes 0\n"),
			ContainSubstring("monitor_members_left_total 1\n"),
			ContainSubstring("monitor_exit_to_gone_seconds_count 1\n"),
			ContainSubstring(`monitor_exit_to_gone_seconds_bucket{le="+Inf"} 1`),
		))
	})
})

var _ = Describe("The names and texts of the metrics", func() {
	// lint returns what Prometheus finds wrong with them.
	lint := func(s *monitor.Store) (string, error) {
		registry := prometheus.NewPedanticRegistry()
		registry.MustRegister(&collector{store: s, log: slog.New(slog.DiscardHandler)})
		problems, err := testutil.GatherAndLint(registry)
		return fmt.Sprint(problems), err
	}

	It("are as Prometheus wants them, without a resident monitor and with one", func() {
		s := newStore()
		Expect(lint(s)).To(Equal("[]"))
		startResident(s)
		Expect(lint(s)).To(Equal("[]"))
		Expect(scrape(s)).To(ContainSubstring("monitor_resident_up 1"), "those of the resident were seen")
	})
})

var _ = Describe("The histogram", func() {
	It("has in each bucket the shorter times too, and those longer than all bounds in the count only", func() {
		var m dto.Metric
		delays := monitor.Delays{Counts: []int{1, 2, 4}, Seconds: 7.5}
		Expect(histogram(gone, []float64{1, 2}, delays).Write(&m)).To(Succeed())
		h := m.GetHistogram()
		Expect(h.GetSampleCount()).To(BeEquivalentTo(7))
		Expect(h.GetSampleSum()).To(Equal(7.5))
		Expect(h.GetBucket()).To(HaveExactElements(
			And(HaveField("GetUpperBound()", 1.), HaveField("GetCumulativeCount()", uint64(1))),
			And(HaveField("GetUpperBound()", 2.), HaveField("GetCumulativeCount()", uint64(3))),
		))
	})

	It("is empty where no time was counted", func() {
		var m dto.Metric
		Expect(histogram(gone, []float64{1, 2}, monitor.Delays{}).Write(&m)).To(Succeed())
		Expect(m.GetHistogram().GetSampleCount()).To(BeZero())
	})
})

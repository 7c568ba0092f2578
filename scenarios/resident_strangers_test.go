//go:build darwin || linux

package scenarios_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("Whatever strangers send to the resident monitor", ours, func() {
	const invalid = `^\{"error":"io\.github\.gemini-monitor\.connection\.InvalidRequest".*\}\x00$`

	DescribeTable("it serves others meanwhile", func(ctx SpecContext, send func(SpecContext) (answer func() string), said string) {
		c := startCrowd(1)
		pair := expectPair(ctx)
		answer := send(ctx)
		job := stage.Start(monitor.Run("other", "puppet", "other")...)
		other := stage.Puppet("other")
		Expect(gemini.Monitors()).To(And(HaveLen(2), HaveEach(pair.Resident)))
		Expect(answer()).To(MatchRegexp(said))
		other.Exit(0)
		expectRemoved(ctx, "other", job.Oracle())
		expectSamePair(ctx, pair)
		c.expectKept(ctx)
		c.leave(ctx, 1)
		expectNoPair(ctx)
	},
		Entry("what is no message", limit, sending([]byte("GET / HTTP/1.1\r\n\r\n\x00")), invalid),
		Entry("bytes without an end", limit, sending(bytes.Repeat([]byte("x"), 10_000_000)), invalid),
		Entry("half a message", limit, sending([]byte(`{"method":"io.github.gemini-monitor.Adopt"`)), invalid),
		Entry("a method that it does not have", limit, sending([]byte("{\"method\":\"io.github.gemini-monitor.RemoveAll\"}\x00")), `^\{"error":"org\.varlink\.service\.MethodNotFound".*\}\x00$`),
		Entry("a runtime of another process", limit, sending([]byte("{\"method\":\"io.github.gemini-monitor.Watch\",\"parameters\":{\"name\":\"crowd-1\"}}\x00")), `^\{"error":"io\.github\.gemini-monitor\.Failed".*\}\x00$`),
		Entry("a request to leave the runtime of another process", limit, sending([]byte("{\"method\":\"io.github.gemini-monitor.Leave\",\"parameters\":{\"name\":\"crowd-1\"}}\x00")), `^\{.*\}\x00$`),
		Entry("nothing, on 1,000 connections", limit, func(ctx SpecContext) func() string {
			connect(ctx, 1000)
			return func() string { return "" }
		}, `^$`),
	)

	It("it refuses connections beyond its limit, each with an answer", func(ctx SpecContext) {
		c := startCrowd(1)
		pair := expectPair(ctx)
		conns := connect(ctx, 1100)
		busy, err := io.ReadAll(conns[len(conns)-1])
		Expect(err).NotTo(HaveOccurred())
		Expect(string(busy)).To(MatchRegexp(`^\{"error":"io\.github\.gemini-monitor\.connection\.Busy".*\}\x00$`))
		for _, conn := range conns {
			conn.Close()
		}
		expectSamePair(ctx, pair)
		c.expectKept(ctx)
		c.leave(ctx, 1)
		expectNoPair(ctx)
	}, limit)
})

// sending returns a function that sends bytes on a connection, and returns another one
// that reads the answer.
func sending(message []byte) func(SpecContext) func() string {
	return func(ctx SpecContext) func() string {
		conn := connect(ctx, 1)[0]
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			_, _ = conn.Write(message) // it may be refused half-way
		}()
		return func() string {
			answer, _ := bufio.NewReader(conn).ReadString(0)
			<-sent
			return answer
		}
	}
}

// connect opens connections to the resident.
func connect(ctx SpecContext, count int) (conns []net.Conn) {
	GinkgoHelper()
	for range count {
		var conn net.Conn
		Eventually(ctx, func() (err error) { // macOS refuses while the queue is full
			conn, err = new(net.Dialer).DialContext(ctx, "unix", gemini.Socket())
			return err
		}).WithPolling(time.Millisecond).Should(Succeed())
		DeferCleanup(func() { conn.Close() })
		Expect(conn.SetDeadline(time.Now().Add(time.Minute))).To(Succeed())
		conns = append(conns, conn)
	}
	return conns
}

//go:build darwin || linux

package varlink_test

import (
	"os"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/internal/varlink"
)

var _ = Describe("A service", func() {
	It("can be asked with a line of shell", testproc.Patience, func(ctx SpecContext) {
		conn, _ := handled(ctx, newDoor().service(), varlink.Limits{})
		send(conn, `{"method":"org.varlink.service.GetInfo"}|`)
		Expect(conn.CloseWrite()).To(Succeed()) // as nc -N does
		Expect(answer(conn)).To(MatchJSON(`{"parameters":{
			"vendor":"Example","product":"door","version":"1.2","url":"https://example.org",
			"interfaces":["org.varlink.service","io.github.gemini-monitor.connection","org.example.door"]}}`))
		Expect(rest(conn)).To(BeEmpty())
	})

	It("describes each interface that it names", testproc.Patience, func(ctx SpecContext) {
		conn, _ := handled(ctx, newDoor().service(), varlink.Limits{})
		var info struct{ Interfaces []string }
		Expect(varlink.Call(ctx, conn, "org.varlink.service.GetInfo", nil, &info)).To(Succeed())
		for _, name := range info.Interfaces {
			var about struct{ Description string }
			Expect(varlink.Call(ctx, conn, "org.varlink.service.GetInterfaceDescription", map[string]string{"interface": name}, &about)).To(Succeed())
			Expect(about.Description).To(MatchRegexp(`(?m)^interface ` + name + `$`))
		}
		Expect(info.Interfaces).To(HaveLen(3))
	})

	DescribeTable("answers by the error", func(ctx SpecContext, request, reply string) {
		conn, _ := handled(ctx, newDoor().service(), varlink.Limits{})
		send(conn, request+"|")
		Expect(answer(conn)).To(MatchJSON(reply))
		By("and the connection is still of use")
		Expect(asked(ctx, conn, example+".Echo")).To(Succeed())
	},
		Entry("for an interface that it does not have", testproc.Patience,
			`{"method":"org.example.window.Open"}`,
			`{"error":"org.varlink.service.InterfaceNotFound","parameters":{"interface":"org.example.window"}}`),
		Entry("for a method that it does not have", testproc.Patience,
			`{"method":"org.example.door.Kick","parameters":{}}`,
			`{"error":"org.varlink.service.MethodNotFound","parameters":{"method":"org.example.door.Kick"}}`),
		Entry("for a method of the interface that has errors only", testproc.Patience,
			`{"method":"io.github.gemini-monitor.connection.Open"}`,
			`{"error":"org.varlink.service.MethodNotFound","parameters":{"method":"io.github.gemini-monitor.connection.Open"}}`),
		Entry("for the description of an interface that it does not have", testproc.Patience,
			`{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"a.b"}}`,
			`{"error":"org.varlink.service.InterfaceNotFound","parameters":{"interface":"a.b"}}`),
		Entry("for the description of no interface", testproc.Patience,
			`{"method":"org.varlink.service.GetInterfaceDescription"}`,
			`{"error":"org.varlink.service.InvalidParameter","parameters":{"parameter":"interface"}}`),
		Entry("for a parameter of another type", testproc.Patience,
			`{"method":"org.example.door.Echo","parameters":{"text":"a","times":"often"}}`,
			`{"error":"org.varlink.service.InvalidParameter","parameters":{"parameter":"times"}}`),
		Entry("for a parameter that is missing", testproc.Patience,
			`{"method":"org.example.door.Echo","parameters":null}`,
			`{"error":"org.varlink.service.InvalidParameter","parameters":{"parameter":"text"}}`),
		Entry("of a method that names one", testproc.Patience,
			`{"method":"org.example.door.Locked"}`,
			`{"error":"org.example.door.IsLocked","parameters":{"keys":3}}`),
		Entry("of a method that names none", testproc.Patience,
			`{"method":"org.example.door.Fails"}`,
			`{"error":"io.github.gemini-monitor.connection.Failed","parameters":{"reason":"the hinge is broken"}}`))

	DescribeTable("answers without an error", func(ctx SpecContext, request, reply string) {
		conn, _ := handled(ctx, newDoor().service(), varlink.Limits{})
		send(conn, request+"|")
		Expect(conn.CloseWrite()).To(Succeed())
		Expect(rest(conn)).To(Equal(strings.ReplaceAll(reply+"|", "|", "\x00")))
	},
		Entry("a method with no reply", testproc.Patience, `{"method":"org.example.door.Nothing"}`, `{"parameters":{}}`),
		Entry("a request with fields and parameters of a newer client", testproc.Patience,
			` {"method":"org.example.door.Echo","later":[1],"parameters":{"text":"a","colour":{"is":"red"}}}`, `{"parameters":{"text":"a"}}`),
		Entry("a request for more, once", testproc.Patience,
			`{"method":"org.example.door.Echo","parameters":{"text":"a"},"more":true}`, `{"parameters":{"text":"a"}}`),
		Entry("several requests in one write, in order, and none that wants no reply", testproc.Patience,
			`{"method":"org.example.door.Echo","parameters":{"text":"a"}}|`+
				`{"method":"org.example.door.Echo","parameters":{"text":"b"},"oneway":true}|`+
				`{"method":"org.example.door.Kick","oneway":true}|`+
				`{"method":"org.example.door.Echo","parameters":{"text":"c"},"oneway":false}`,
			`{"parameters":{"text":"a"}}|{"parameters":{"text":"c"}}`))

	It("outlives a method that panics, and reports it", testproc.Patience, func(ctx SpecContext) {
		d := newDoor()
		conn, _ := handled(ctx, d.service(), varlink.Limits{})
		Expect(asked(ctx, conn, example+".Panics")).To(And(named(varlink.Failed), MatchError(ContainSubstring("slammed"))))
		Expect(d.reports).To(Receive(MatchError(And(ContainSubstring("Panics: panic: slammed"), ContainSubstring("varlink_suite_test.go")))))
		Expect(asked(ctx, conn, example+".Echo")).To(Succeed())
	})

	It("reports a reply that is no JSON", testproc.Patience, func(ctx SpecContext) {
		d := newDoor()
		conn, _ := handled(ctx, d.service(), varlink.Limits{})
		Expect(asked(ctx, conn, example+".Odd")).To(named(varlink.Failed))
		Expect(d.reports).To(Receive())
		Expect(asked(ctx, conn, example+".Echo")).To(Succeed())
	})

	It("gives a method the connection, to ask who calls", testproc.Patience, func(ctx SpecContext) {
		conn, _ := handled(ctx, newDoor().service(), varlink.Limits{})
		var peer struct{ PID int }
		Expect(varlink.Call(ctx, conn, example+".Peer", nil, &peer)).To(Succeed())
		Expect(peer.PID).To(Equal(os.Getpid()))
	})
})

var _ = Describe("What is no request", func() {
	const short = 200 * time.Millisecond

	// Only what is late has a short limit: elsewhere this process might be late itself.
	DescribeTable("gets one answer, and the end of the connection:", func(ctx SpecContext, text, reason string, limits varlink.Limits) {
		conn, ended := handled(ctx, newDoor().service(), limits)
		send(conn, text)
		Expect(answer(conn)).To(And(
			ContainSubstring(`{"error":"`+varlink.InvalidRequest+`","parameters":{"reason":"`), ContainSubstring(reason)))
		Expect(rest(conn)).To(BeEmpty())
		Eventually(ended).Should(Receive(MatchError(ContainSubstring(reason))))
	},
		Entry("an empty message", testproc.Patience, "|", "JSON", varlink.Limits{}),
		Entry("a word", testproc.Patience, "hello|", "JSON", varlink.Limits{}),
		Entry("half an object", testproc.Patience, "{|", "JSON", varlink.Limits{}),
		Entry("an object and more", testproc.Patience, `{"method":"a.b"} {}|`, "JSON", varlink.Limits{}),
		Entry("a list", testproc.Patience, "[]|", "JSON", varlink.Limits{}),
		Entry("null", testproc.Patience, "null|", "names no method", varlink.Limits{}),
		Entry("an object without a method", testproc.Patience, "{}|", "names no method", varlink.Limits{}),
		Entry("a method that is a number", testproc.Patience, `{"method":7}|`, "method", varlink.Limits{}),
		Entry("a method without an interface", testproc.Patience, `{"method":"Open"}|`, "no interface", varlink.Limits{}),
		Entry("an interface without a method", testproc.Patience, `{"method":"org.example."}|`, "no interface", varlink.Limits{}),
		Entry("parameters that are a list", testproc.Patience, `{"method":"a.b","parameters":[1]}|`, "no JSON object", varlink.Limits{}),
		Entry("an upgrade", testproc.Patience, `{"method":"org.example.door.Echo","upgrade":true}|`, "cannot be upgraded", varlink.Limits{}),
		Entry("a request of HTTP", testproc.Patience, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "begins with {", varlink.Limits{}),
		Entry("a message that does not end", testproc.Patience, `{"method":`, "200ms after its first byte", varlink.Limits{Finish: short}),
		Entry("white space that does not end", testproc.Patience, " \n", "200ms after its first byte", varlink.Limits{Finish: short}),
		Entry("nothing", testproc.Patience, "", "no request came within 200ms", varlink.Limits{Idle: short}),
		Entry("garbage after a request without a reply", testproc.Patience, `{"method":"org.example.door.Echo","oneway":true}|x|`, "JSON", varlink.Limits{}))

	It("may be a message that is cut by the end of the connection", testproc.Patience, func(ctx SpecContext) {
		conn, _ := handled(ctx, newDoor().service(), varlink.Limits{})
		send(conn, `{"method":"org.example.door.Echo"}`)
		Expect(conn.CloseWrite()).To(Succeed())
		Expect(rest(conn)).To(And(ContainSubstring(varlink.InvalidRequest), ContainSubstring("no zero byte")))
	})

	It("has more bytes than a request may have", testproc.Patience, func(ctx SpecContext) {
		conn, _ := handled(ctx, newDoor().service(), varlink.Limits{Request: 100})
		fits := `{"method":"org.example.door.Echo","parameters":{"text":"a"}}`
		fits += strings.Repeat(" ", 100-len(fits))
		send(conn, fits+"|")
		Expect(answer(conn)).To(MatchJSON(`{"parameters":{"text":"a"}}`))
		send(conn, fits+" |")
		Expect(rest(conn)).To(And(ContainSubstring(varlink.InvalidRequest), ContainSubstring("more than 100 bytes")))
	})

	It("is answered while a client still writes its 10 MB", testproc.Patience, func(ctx SpecContext) {
		conn, ended := handled(ctx, newDoor().service(), varlink.Limits{})
		err := varlink.Call(ctx, conn, example+".Echo", map[string]string{"text": strings.Repeat("a", 10<<20)}, nil)
		Expect(err).To(And(named(varlink.InvalidRequest), MatchError(ContainSubstring("more than 65536 bytes"))))
		Eventually(ended).Should(Receive(HaveOccurred()))
	})

	It("is not what comes slowly, byte by byte, within the time", testproc.Patience, func(ctx SpecContext) {
		conn, _ := handled(ctx, newDoor().service(), varlink.Limits{})
		for _, b := range `{"method":"org.example.door.Nothing"}|` {
			send(conn, string(b))
		}
		Expect(answer(conn)).To(MatchJSON(`{"parameters":{}}`))
	})

	It("ends a connection in silence that has had an answer", testproc.Patience, func(ctx SpecContext) {
		conn, server := pair(ctx)
		send(conn, `{"method":"org.example.door.Nothing"}|`) // it is there before the time begins
		ended, s := make(chan error, 1), newDoor().service()
		go func() { ended <- s.Handle(ctx, server, varlink.Limits{Idle: short}) }()
		Expect(answer(conn)).To(MatchJSON(`{"parameters":{}}`))
		Expect(rest(conn)).To(BeEmpty())
		Eventually(ended).Should(Receive(BeNil()))
	})

	It("does not come from a client that closes", testproc.Patience, func(ctx SpecContext) {
		conn, ended := handled(ctx, newDoor().service(), varlink.Limits{})
		Expect(conn.Close()).To(Succeed())
		Eventually(ended).Should(Receive(BeNil()))
	})

	It("ends with a client that does not read its answers", testproc.Patience, func(ctx SpecContext) {
		conn, ended := handled(ctx, newDoor().service(), varlink.Limits{Reply: 100 * time.Millisecond})
		send(conn, `{"method":"org.example.door.Echo","parameters":{"text":"aaaaaaaaaaaaaaaa","times":1000000}}|`)
		Eventually(ended).Should(Receive(MatchError(os.ErrDeadlineExceeded)))
	})
})

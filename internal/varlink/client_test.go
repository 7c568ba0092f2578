//go:build darwin || linux

package varlink_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/internal/varlink"
)

var _ = Describe("A call", func() {
	It("reads the reply into a struct, again and again", testproc.Patience, func(ctx SpecContext) {
		conn, _ := handled(ctx, newDoor().service(), varlink.Limits{})
		for _, times := range []int{1, 3, 100_000} {
			var out struct{ Text string }
			in := map[string]any{"text": "ab", "times": times}
			Expect(varlink.Call(ctx, conn, example+".Echo", in, &out)).To(Succeed())
			Expect(out.Text).To(Equal(strings.Repeat("ab", times)))
		}
	})

	It("returns the error of the service, with its parameters", testproc.Patience, func(ctx SpecContext) {
		conn, _ := handled(ctx, newDoor().service(), varlink.Limits{})
		err := asked(ctx, conn, example+".Locked")
		found, ok := errors.AsType[*varlink.Error](err)
		Expect(ok).To(BeTrue())
		Expect(found.Name).To(Equal(example + ".IsLocked"))
		var parameters struct{ Keys int }
		Expect(found.Decode(&parameters)).To(Succeed())
		Expect(parameters.Keys).To(Equal(3))
		Expect(err).To(MatchError(`call org.example.door.Locked: org.example.door.IsLocked: {"keys":3}`))
		Expect(err).NotTo(MatchError(varlink.ErrNoAnswer))
	})

	DescribeTable("has no answer where the service", func(ctx SpecContext, text string, read bool) {
		client, server := pair(ctx)
		go func() {
			if read {
				_, _ = server.Read(make([]byte, 1<<10))
			}
			_, _ = io.WriteString(server, text)
			_ = server.Close()
		}()
		err := asked(ctx, client, example+".Echo")
		Expect(err).To(MatchError(varlink.ErrNoAnswer))
		Expect(err).NotTo(MatchError(context.DeadlineExceeded))
	},
		Entry("closes at once", testproc.Patience, "", false),
		Entry("closes after the request", testproc.Patience, "", true),
		Entry("closes within its reply", testproc.Patience, `{"parameters":{`, true))

	It("reads the answer of a service that has closed", testproc.Patience, func(ctx SpecContext) {
		client, server := pair(ctx)
		_, err := io.WriteString(server, `{"error":"a.b.Busy"}`+"\x00")
		Expect(err).NotTo(HaveOccurred())
		Expect(server.Close()).To(Succeed())
		Expect(asked(ctx, client, example+".Echo")).To(named("a.b.Busy"))
	})

	DescribeTable("is refused an answer that is none:", func(ctx SpecContext, text string) {
		client, server := pair(ctx)
		_, err := io.WriteString(server, strings.ReplaceAll(text, "|", "\x00"))
		Expect(err).NotTo(HaveOccurred())
		var out struct{ Text string }
		err = varlink.Call(ctx, client, example+".Echo", nil, &out)
		Expect(err).To(MatchError(ContainSubstring("no varlink reply")))
		Expect(err).NotTo(MatchError(varlink.ErrNoAnswer))
	},
		Entry("a word", testproc.Patience, "hello|"),
		Entry("nothing", testproc.Patience, "|"),
		Entry("two of them", testproc.Patience, `{"parameters":{}}|{"parameters":{}}|`),
		Entry("one with other parameters", testproc.Patience, `{"parameters":{"text":7}}|`))

	It("ends with its deadline where no answer comes", testproc.Patience, func(ctx SpecContext) {
		client, _ := pair(ctx)
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		err := asked(short, client, example+".Echo")
		Expect(err).To(MatchError(context.DeadlineExceeded))
		Expect(err).NotTo(MatchError(varlink.ErrNoAnswer))
	})

	It("ends with its deadline where the request is not read", testproc.Patience, func(ctx SpecContext) {
		client, _ := pair(ctx)
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		err := varlink.Call(short, client, example+".Echo", map[string]string{"text": strings.Repeat("a", 10<<20)}, nil)
		Expect(err).To(MatchError(context.DeadlineExceeded))
	})

	It("ends when it is cancelled", testproc.Patience, func(ctx SpecContext) {
		client, server := pair(ctx)
		cancelled, cancel := context.WithCancel(ctx)
		go func() {
			_, _ = server.Read(make([]byte, 1<<10))
			cancel()
		}()
		Expect(asked(cancelled, client, example+".Echo")).To(MatchError(context.Canceled))
		Expect(asked(cancelled, client, example+".Echo")).To(MatchError(context.Canceled))
	})

	It("needs parameters that are JSON", testproc.Patience, func(ctx SpecContext) {
		client, _ := pair(ctx)
		err := varlink.Call(ctx, client, example+".Echo", make(chan int), nil)
		_, ok := errors.AsType[*json.UnsupportedTypeError](err)
		Expect(ok).To(BeTrue(), "%v", err)
	})

	It("is cheap", Label("native"), testproc.Patience, func(ctx SpecContext) {
		if os.Getenv("HARNESS_EXEC") != "" {
			Skip("speed is that of the runner of the macOS build")
		}
		path, _, _ := serving(&varlink.Server{Service: newDoor().service()})
		const rounds = 500
		best := time.Hour
		for range rounds {
			begin := time.Now()
			conn := connected(ctx, path)
			Expect(asked(ctx, conn, example+".Echo")).To(Succeed())
			Expect(conn.Close()).To(Succeed())
			best = min(best, time.Since(begin))
		}
		AddReportEntry("connect, ask, answer", fmt.Sprint(best))
		Expect(best).To(BeNumerically("<", time.Millisecond))
	})
})

var _ = Describe("The text of an error", func() {
	DescribeTable("is", func(err *varlink.Error, text string) { Expect(err).To(MatchError(text)) },
		Entry("the name", &varlink.Error{Name: "a.b"}, "a.b"),
		Entry("the name where the parameters are empty", &varlink.Error{Name: "a.b", Parameters: map[string]int{}}, "a.b"),
		Entry("the name and the reason", varlink.NewError("a.b", "it is late"), "a.b: it is late"),
		Entry("the name and the parameters", varlink.WrongParameter("text"), `org.varlink.service.InvalidParameter: {"parameter":"text"}`),
		Entry("the name where the parameters are no JSON", &varlink.Error{Name: "a.b", Parameters: make(chan int)}, "a.b"))
})

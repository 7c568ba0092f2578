//go:build darwin || linux

package terminal_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness/internal/screen"
)

var _ = Describe("A terminal with a screen", func() {
	It("answers a program that asks where the cursor is", func(ctx SpecContext) {
		t := open(24, 80, false)
		s := screen.New(24, 80)
		t.Answer(func(shown []byte) []byte {
			s.Write(shown)
			return s.Replies()
		})
		start(t, `stty -icanon; printf 'ab\033[6n'; answer=$(dd bs=1 count=6 2>/dev/null); printf '\r\033[K<%s>\n' "${answer#?}"; stty icanon`)
		expect(ctx, t, "<[1;3R>\n", 0)
		Expect(s.Text()).To(Equal("<[1;3R>"))
	}, NodeTimeout(time.Minute))
})

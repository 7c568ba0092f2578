//go:build darwin || linux

package specs_test

import (
	"context"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness/internal/terminal"
)

var _ = Describe("Terminals", func() {
	It("are not mixed up when many are opened at once", func(ctx SpecContext) {
		var all sync.WaitGroup
		defer all.Wait()
		for range 4 {
			all.Go(func() {
				defer GinkgoRecover()
				for range 50 {
					Expect(openAndClose()).To(Succeed())
				}
			})
		}
	}, SpecTimeout(time.Minute))
})

// openAndClose opens a terminal, passes a line through it and closes it.
func openAndClose() error {
	unlock, err := terminal.LockEdge()
	if err != nil {
		return err
	}
	t, err := terminal.Open(24, 80, false)
	unlock()
	if err != nil {
		return err
	}
	if _, err := t.Replica().WriteString("a line\n"); err != nil {
		return err
	}
	if _, err := t.Find(context.Background(), []terminal.Alternative{terminal.Literal("a line\n")}, 0, nil); err != nil {
		return err
	}
	return t.Close()
}

//go:build darwin || linux

package standin

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestStandIn(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "StandIn")
}

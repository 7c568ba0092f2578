package trees

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestTrees(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Trees", Label("pure"))
}

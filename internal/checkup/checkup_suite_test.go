package checkup_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestCheckup(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Finding-up")
}

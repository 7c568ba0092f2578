package main

import (
	"bytes"
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = It("A full standard output is one line on standard error, and exit code 1", func() {
	r := create("build", "make")
	join(r, self())
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	Expect(err).NotTo(HaveOccurred())
	defer full.Close()
	for _, args := range [][]string{{"tree", "build"}, {"list"}, {"help"}} {
		var said bytes.Buffer
		cmd := command(append([]string{"--store", storeDir}, args...)...)
		cmd.Stdout, cmd.Stderr = full, &said
		Expect(cmd.Run()).NotTo(Succeed())
		Expect(cmd.ProcessState.ExitCode()).To(Equal(1), "%q", args)
		Expect(said.String()).To(Equal("monitor: write /dev/stdout: no space left on device\n"), "%q", args)
	}
})

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"
)

// A test binary with the name of the command is the command. One with the name xattr gets and
// sets extended attributes, for which there may be no tool.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "layerfs":
		os.Exit(execute(os.Args[1:]))
	case "xattr":
		os.Exit(xattr(os.Args[1:]))
	}
	os.Exit(m.Run())
}

func TestLayerfs(t *testing.T) {
	SetDefaultEventuallyTimeout(time.Minute) // where the table is polled, a read of 0.6 s buys 20 s of quiet
	RegisterFailHandler(Fail)
	RunSpecs(t, "Layerfs")
}

// patient is the limit of a spec that starts programs.
const patient = SpecTimeout(2 * time.Minute)

// xattr is "xattr get|set|remove|list FILE [NAME [VALUE]]".
func xattr(args []string) int {
	value := make([]byte, 1024)
	n, failed := 0, error(unix.EINVAL)
	switch args[0] {
	case "get":
		n, failed = unix.Lgetxattr(args[1], args[2], value)
	case "list":
		n, failed = unix.Llistxattr(args[1], value)
	case "set":
		failed = unix.Lsetxattr(args[1], args[2], []byte(args[3]), 0)
	case "remove":
		failed = unix.Lremovexattr(args[1], args[2])
	}
	if failed != nil {
		fmt.Println(failed)
		return 1
	}
	fmt.Printf("%q\n", value[:n])
	return 0
}

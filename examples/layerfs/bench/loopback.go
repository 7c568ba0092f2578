package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// serveLoopback serves go-fuse's own loopback until a signal comes. It prints a line when it
// is mounted.
func serveLoopback(dir, mount, text string) error {
	ttl, err := time.ParseDuration(text)
	if err != nil {
		return err
	}
	root, err := fs.NewLoopbackRoot(dir)
	if err != nil {
		return err
	}
	server, err := fs.Mount(mount, root, &fs.Options{
		EntryTimeout: &ttl, AttrTimeout: &ttl, NegativeTimeout: &ttl, NullPermissions: true,
		MountOptions: fuse.MountOptions{DirectMountStrict: true, FsName: dir, Name: "loopback"},
	})
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	fmt.Println("mounted")
	<-signals
	return server.Unmount()
}

package main

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// A hanging is the root of a file system that answers no lookup until it is released.
type hanging struct {
	fs.Inode
	asked    chan struct{}
	released chan struct{}
	dead     atomic.Bool // answers nothing at all
}

func (h *hanging) Getattr(ctx context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode = syscall.S_IFDIR | 0o755
	if !h.dead.Load() {
		return 0
	}
	_, errno := h.Lookup(ctx, "", nil)
	return errno
}

func (h *hanging) Lookup(ctx context.Context, _ string, _ *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	select {
	case h.asked <- struct{}{}:
	default:
	}
	select {
	case <-h.released:
		return nil, syscall.ENOENT
	case <-ctx.Done():
		return nil, syscall.EINTR
	}
}

// hang mounts a layer that hangs. When the spec ends, it answers, and is unmounted.
func (s *stand) hang() (*hanging, string) {
	GinkgoHelper()
	dir := s.layer("hung", nil)
	h := &hanging{asked: make(chan struct{}, 1), released: make(chan struct{})}
	server, err := fs.Mount(dir, h, &fs.Options{MountOptions: fuse.MountOptions{DirectMount: true, Name: "hanging"}})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() {
		close(h.released)
		Eventually(server.Unmount).Should(Succeed())
	})
	return h, dir
}

var _ = Describe("A layer that hangs", Label("linux", "fuse"), func() {
	DescribeTable("harms its readers alone", func(_ SpecContext, flags ...string) {
		s := newStand(append(flags, "--patience", "1h")...)
		good := s.shell("--edit", "--layer", s.layer("good", map[string]string{"x": "good\n"}))
		Expect(good.do("cat x")).To(Equal("good\n"))
		h, dir := s.hang()
		bad := s.shell("--layer", dir, "--layer", filepath.Join(s.dir, "good"))
		bad.send("cat x")
		Eventually(h.asked).Should(Receive())
		for range 5 {
			Expect(good.do("cat x; ls; echo new >n; cat n; rm n; mkdir d; rmdir d")).To(Equal("good\nx\nnew\n"))
		}
	}, shapes)

	It("gives its readers EIO where all trees share the directory, so that no name is waited for", patient, func(SpecContext) {
		s := newStand("--patience", "200ms")
		good := s.shell("--layer", s.layer("good", map[string]string{"x": "good\n"}))
		_, dir := s.hang()
		bad := s.shell("--layer", dir, "--layer", filepath.Join(s.dir, "good"))
		mark := bad.send("cat x")
		Expect(good.do("cat x")).To(Equal("good\n"))
		Expect(bad.await(mark)).To(ContainSubstring("Input/output error"))
		Expect(good.do("cat x")).To(Equal("good\n"))
	})

	It("does not keep the next service from serving the others", patient, func(SpecContext) {
		s := newStand("--patience", "200ms")
		good := s.shell("--layer", s.layer("good", map[string]string{"x": "good\n"}))
		h, dir := s.hang()
		bad := s.shell("--name", "bad", "--layer", dir)
		s.kill()
		h.dead.Store(true)
		s.serve()
		Expect(good.do("cat " + s.top() + "/x")).To(Equal("good\n"))
		Expect(bad.do("cat " + s.top() + "/x")).To(ContainSubstring("Input/output error"))
		Expect(s.cmd("status", s.mount).Output()).To(ContainSubstring("bad "))
	})
})

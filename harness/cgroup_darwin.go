package harness

import (
	"context"
	"errors"
	"os"
)

// macOS has no cgroups.
type cgroup struct{}

func newCgroup(string) (*cgroup, error)        { return nil, errors.ErrUnsupported }
func (g *cgroup) open() (*os.File, error)      { return nil, errors.ErrUnsupported }
func (g *cgroup) populated() (bool, error)     { return false, errors.ErrUnsupported }
func (g *cgroup) remove(context.Context) error { return nil }

//go:build !darwin && !linux

package monitor

import "errors"

type releaseSource struct{}

func newReleaseSource() (*releaseSource, error) { return nil, errors.ErrUnsupported }

func (s *releaseSource) add(string) (int, error) { return 0, errors.ErrUnsupported }

func (s *releaseSource) remove(int) {}

func (s *releaseSource) next() ([]int, error) { return nil, errors.ErrUnsupported }

func (s *releaseSource) stop() {}

func (s *releaseSource) close() {}

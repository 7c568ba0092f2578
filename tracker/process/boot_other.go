//go:build !darwin && !linux

package process

import "errors"

func readBoot() (string, error) { return "", errors.ErrUnsupported }

func visibleFrom(string, string) error { return errors.ErrUnsupported }

func sameKernel(a, b string) bool { return a == b }

//go:build !darwin && !linux

package tracker

import "errors"

func readBoot() (string, error) { return "", errors.ErrUnsupported }

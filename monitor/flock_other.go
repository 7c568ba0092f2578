//go:build !unix

package monitor

import (
	"errors"
	"os"
)

func tryLock(*os.File, bool) (bool, error) { return false, errors.ErrUnsupported }

func unlockFile(*os.File) error { return errors.ErrUnsupported }

type fileSet struct{}

func inheritedFiles() fileSet { return fileSet{} }

func (fileSet) have(string) bool { return false }

//go:build !unix

package monitor

import (
	"errors"
	"os"
)

func keepOnExec(*os.File) (*os.File, error) { return nil, errors.ErrUnsupported }

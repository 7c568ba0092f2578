package puppet

import "errors"

// stay blocks.
func stay() { select {} }

// endFirstThread is for Linux: on macOS the end of a thread does not show.
func endFirstThread() error { return errors.ErrUnsupported }

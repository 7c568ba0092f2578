//go:build !linux

package process

import "errors"

// Partial returns nil: the table of this system shows all processes.
func (r *Reader) Partial() error { return nil }

// Inhabited returns [errors.ErrUnsupported]: this system names no forks.
func (r *Reader) Inhabited(map[int]bool) (bool, error) { return false, errors.ErrUnsupported }

// AppendHidden appends nothing: the table of this system hides no process.
func (r *Reader) AppendHidden(rows []Row) []Row { return rows }

//go:build !darwin && !linux

package process

import "errors"

// A Reader reads the process table on macOS and Linux. On this system it reads nothing.
type Reader struct{}

// OpenReader returns [errors.ErrUnsupported].
func OpenReader() (*Reader, error) { return nil, errors.ErrUnsupported }

// Close does nothing.
func (r *Reader) Close() {}

// Read returns [errors.ErrUnsupported].
func (r *Reader) Read(rows []Row) ([]Row, error) { return rows, errors.ErrUnsupported }

// Lookup returns [errors.ErrUnsupported].
func (r *Reader) Lookup(int) (Row, error) { return Row{}, errors.ErrUnsupported }

// Settings returns [errors.ErrUnsupported].
func (r *Reader) Settings(Identity, string) ([]string, error) { return nil, errors.ErrUnsupported }

// Arguments returns [errors.ErrUnsupported].
func (r *Reader) Arguments(Identity) (Arguments, error) { return Arguments{}, errors.ErrUnsupported }

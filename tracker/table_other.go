//go:build !darwin && !linux

package tracker

import "errors"

type table struct{}

func newTable() (*table, error) { return nil, errors.ErrUnsupported }

func (t *table) close() {}

func (t *table) read(rows []Process) ([]Process, error) { return rows, errors.ErrUnsupported }

func (t *table) lookup(int) (Process, error) { return Process{}, errors.ErrUnsupported }

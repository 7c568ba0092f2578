//go:build !linux

package process

// Partial returns nil: the table of this system shows all processes.
func (r *Reader) Partial() error { return nil }

// AppendHidden appends nothing: the table of this system hides no process.
func (r *Reader) AppendHidden(rows []Row) []Row { return rows }

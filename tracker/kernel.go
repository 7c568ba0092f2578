package tracker

// A system is the kernel that runs us: its notices and its process table.
type system struct {
	source
	table *table
}

func newSystem() (*system, error) {
	t, err := newTable()
	if err != nil {
		return nil, err
	}
	s, err := newSource()
	if err != nil {
		t.close()
		return nil, err
	}
	return &system{s, t}, nil
}

func (s *system) read(rows []Process) ([]Process, error) { return s.table.read(rows) }

func (s *system) lookup(pid int) (Process, error) { return s.table.lookup(pid) }

func (s *system) close() error {
	s.table.close()
	return s.source.close()
}

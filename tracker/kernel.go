package tracker

// A system is the kernel that runs us: its notices and its process table.
type system struct {
	source
	table    *table
	lineages *lineageBook // nil where the kernel keeps none
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
	return newSystemOf(s, t), nil
}

func newSystemOf(s source, t *table) *system {
	k := &system{source: s, table: t}
	if hasLineage() {
		k.lineages = newLineageBook(askLineage, t.lookup)
	}
	return k
}

func (s *system) capabilities() Capabilities { return capabilitiesOf(s.forks(), s.lineages != nil) }

func (s *system) read(rows []Process) ([]Process, error) {
	rows, err := s.table.read(rows)
	if err == nil && s.lineages != nil {
		s.lineages.completeAll(rows)
	}
	return rows, err
}

func (s *system) lookup(pid int) (Process, error) {
	p, err := s.table.lookup(pid)
	if err == nil && s.lineages != nil {
		s.lineages.complete(&p)
	}
	return p, err
}

func (s *system) close() error {
	s.table.close()
	return s.source.close()
}

package tracker

import "github.com/gemini-monitor/gemini/tracker/process"

// A system is the kernel that runs us: its notices and its process table.
type system struct {
	source
	reader   *process.Reader
	lineages *lineageBook // nil where the kernel keeps none
}

func newSystem() (*system, error) {
	t, err := process.OpenReader()
	if err != nil {
		return nil, err
	}
	s, err := newSource()
	if err != nil {
		t.Close()
		return nil, err
	}
	return newSystemOf(s, t), nil
}

func newSystemOf(s source, t *process.Reader) *system {
	k := &system{source: s, reader: t}
	if hasLineage() {
		k.lineages = newLineageBook(askLineage, t.Lookup)
	}
	return k
}

func (s *system) capabilities() Capabilities { return capabilitiesOf(s.forks(), s.lineages != nil) }

func (s *system) read(rows []process.Row) ([]process.Row, error) {
	rows, err := s.reader.Read(rows)
	if err == nil && s.lineages != nil {
		s.lineages.completeAll(rows)
	}
	return rows, err
}

func (s *system) lookup(pid int) (process.Row, error) {
	p, err := s.reader.Lookup(pid)
	if err == nil && s.lineages != nil {
		s.lineages.complete(&p)
	}
	return p, err
}

func (s *system) close() error {
	s.reader.Close()
	return s.source.close()
}

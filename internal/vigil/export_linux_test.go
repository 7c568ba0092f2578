package vigil

// ChangeOf is that of a subject.
func ChangeOf(s Subject, kinds uint32, name string) Change { return s.changeOf(kinds, name) }

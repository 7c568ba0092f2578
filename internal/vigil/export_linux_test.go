package vigil

// ChangeOf is that of a subject.
func ChangeOf(s Subject, kinds uint32, name string) Change { return s.changeOf(kinds, name) }

// AnyChange is that of one of many paths.
func AnyChange(kinds uint32) Change { return anyChange(kinds) }

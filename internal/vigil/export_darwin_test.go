package vigil

// ChangeOf is for the specs.
func ChangeOf(notes uint32) Change { return changeOf(notes) }

// AnyChange is that of one of many paths.
func AnyChange(notes uint32) Change { return anyChange(notes) }

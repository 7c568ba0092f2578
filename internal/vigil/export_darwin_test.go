package vigil

// ChangeOf is for the specs.
func ChangeOf(notes uint32) Change { return changeOf(notes) }

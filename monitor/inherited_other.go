//go:build !unix

package monitor

type fileSet struct{}

func inheritedFiles() fileSet { return fileSet{} }

func (fileSet) have(string) bool { return false }

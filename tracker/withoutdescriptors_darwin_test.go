package tracker

import . "github.com/onsi/gomega"

// withoutDescriptors is what an observer that can open no file finds out of a tree:
// all, because the table is no file here.
var withoutDescriptors = Equal("alive")

package tracker

import . "github.com/onsi/gomega"

var lesserWays []way

// withoutDescriptors is what is found out of a tree by who can open no file.
var withoutDescriptors = HavePrefix("unknown")

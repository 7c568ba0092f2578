package tracker

import . "github.com/onsi/gomega"

var lesserWays = []way{{"kqueue without lineage", func() (kernel, error) {
	k, err := openOrSkip("kqueue")
	if err == nil {
		k.lineages = nil
	}
	return k, err
}}}

// withoutDescriptors is what is found out of a tree by who can open no file: all,
// because the table is no file here.
var withoutDescriptors = Equal("alive")

package kernel

import "runtime"

// A Way is one way to follow processes, for specs to be tried on.
type Way struct {
	Name string
	Open func() (*Kernel, error)
	// Needs are the labels of specs on this way: what a place must have.
	Needs []string
}

// Ways returns a way for each mechanism of this system, the best one first, and one
// without lineage where the kernel keeps that. The error of Open is
// errors.ErrUnsupported where the mechanism does not work.
func Ways() (ways []Way) {
	for _, m := range mechanisms {
		ways = append(ways, Way{m.name, func() (*Kernel, error) {
			k, _, err := Open(m.name)
			return k, err
		}, needs(m.name)})
	}
	if len(ways) > 0 && hasLineage() {
		best := ways[0]
		ways = append(ways, Way{best.Name + " without lineage", func() (*Kernel, error) {
			k, err := best.Open()
			if err == nil {
				k.lineages = nil
			}
			return k, err
		}, best.Needs})
	}
	return ways
}

func needs(mechanism string) []string {
	switch {
	case runtime.GOOS == "darwin":
		return []string{"macos"}
	case mechanism == connectorName:
		return []string{runtime.GOOS, "connector"}
	}
	return []string{runtime.GOOS}
}

package kernel

// A Way is one way to follow processes, for specs to be tried on.
type Way struct {
	Name string
	Open func() (*Kernel, error)
}

// Ways returns a way for each mechanism of this system, the best one first, and one
// without lineage where the kernel keeps that. The error of Open is
// errors.ErrUnsupported where the mechanism does not work.
func Ways() (ways []Way) {
	for _, m := range mechanisms {
		ways = append(ways, Way{m.name, func() (*Kernel, error) {
			k, _, err := Open(m.name)
			return k, err
		}})
	}
	if len(ways) > 0 && hasLineage() {
		best := ways[0]
		ways = append(ways, Way{best.Name + " without lineage", func() (*Kernel, error) {
			k, err := best.Open()
			if err == nil {
				k.lineages = nil
			}
			return k, err
		}})
	}
	return ways
}

package tracker

// mechanisms are the sources of this system, the best one first.
var mechanisms = []mechanism{{"kqueue", func() (source, error) { return newKqueueSource() }}}

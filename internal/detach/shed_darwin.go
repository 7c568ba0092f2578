package detach

// systemLimits are the resources that only macOS limits: none.
var systemLimits []int

// shedAttributes gives this process, from which the second one inherits it, the default
// priority. What the kernel refuses to an unprivileged process stays as it is
// (docs/detached.md).
func shedAttributes() { resetNice() }

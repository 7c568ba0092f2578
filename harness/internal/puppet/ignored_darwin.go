package puppet

import (
	"os"
	"os/signal"
	"syscall"
)

// ignoredAtStart returns those of SIGHUP and SIGINT that were ignored when this process was
// started. Of others Go's runtime does not tell (runtime/signal_unix.go, initsig).
func ignoredAtStart() (ignored []os.Signal, err error) {
	for _, one := range []os.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if signal.Ignored(one) {
			ignored = append(ignored, one)
		}
	}
	return ignored, nil
}

package resident

import (
	"fmt"
	"net"
	"strconv"
)

// Loopback is where metrics are served unless another host is named.
const Loopback = "127.0.0.1"

// MetricsAddress returns the TCP address that a user means by PORT, :PORT or HOST:PORT.
// Without a host it is one on [Loopback]: what others than this machine reach has to be
// named in full. Port 0 is any free one. The error says what is taken.
func MetricsAddress(text string) (string, error) {
	host, port := "", text
	if _, err := strconv.ParseUint(text, 10, 16); err != nil {
		if host, port, err = net.SplitHostPort(text); err != nil {
			return "", notAnAddress(text)
		}
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", notAnAddress(text)
	}
	if host == "" {
		host = Loopback
	}
	return net.JoinHostPort(host, strconv.FormatUint(number, 10)), nil
}

func notAnAddress(text string) error {
	return fmt.Errorf("takes PORT or :PORT, which are on %s, or HOST:PORT, not %q", Loopback, text)
}

//go:build !darwin

package monitor

import (
	"os"
	"strings"
)

// readMachine returns what systemd calls the machine ID, and the host's name with
// it (machine-id(5)). Images of virtual machines and containers are copied
// with their ID, so alone it does not tell two of them apart. Either is empty
// where there is none.
func readMachine() (string, error) {
	id, _ := os.ReadFile("/etc/machine-id")
	host, err := os.Hostname()
	return strings.TrimSpace(string(id)) + "/" + host, err
}

//go:build !darwin

package monitor

import (
	"os"
	"strings"
)

// readMachine returns the machine ID (machine-id(5)) and the host's name. Images of
// virtual machines and containers are copied with their ID, so the ID alone does not
// identify one. Either is empty where there is none.
func readMachine() (string, error) {
	id, _ := os.ReadFile("/etc/machine-id")
	host, err := os.Hostname()
	return strings.TrimSpace(string(id)) + "/" + host, err
}

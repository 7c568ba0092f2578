package harness

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// loadAverages returns the load averages of one, five and fifteen minutes. The kernel returns a
// struct loadavg: three 32-bit fixed-point numbers, padding, and their 64-bit scale.
func loadAverages() (averages [3]float64, err error) {
	raw, err := unix.SysctlRaw("vm.loadavg")
	if err != nil {
		return averages, err
	}
	if len(raw) < 24 {
		return averages, fmt.Errorf("vm.loadavg has %d bytes", len(raw))
	}
	scale := float64(binary.LittleEndian.Uint64(raw[16:]))
	for i := range averages {
		averages[i] = float64(binary.LittleEndian.Uint32(raw[4*i:])) / scale
	}
	return averages, nil
}

package harness

import (
	"fmt"
	"os"
)

// loadAverages returns the load averages of one, five and fifteen minutes.
func loadAverages() (averages [3]float64, err error) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return averages, err
	}
	_, err = fmt.Sscan(string(text), &averages[0], &averages[1], &averages[2])
	return averages, err
}

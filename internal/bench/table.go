package main

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// samples are times of one kind, in any order.
type samples []time.Duration

// quantile returns the smallest sample that is at least as large as a share q of all,
// 0 < q <= 1.
func (s samples) quantile(q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(s))
	return sorted[int(math.Ceil(q*float64(len(sorted))))-1]
}

func (s samples) median() time.Duration { return s.quantile(0.5) }

func head(title, ratio string) {
	fmt.Printf("%-34s %6s %10s %10s %10s %9s\n", title, "n", "median", "p99", "max", ratio)
}

// row prints s, and its median as a multiple of that of base.
func row(name string, s, base samples) {
	fmt.Printf("%-34s %6d %10s %10s %10s %8.1fx\n", name, len(s), ms(s.median()), ms(s.quantile(0.99)), ms(slices.Max(s)),
		float64(s.median())/float64(base.median()))
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond)) }

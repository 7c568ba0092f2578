package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// spanUnits are the units of timeout(1).
var spanUnits = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}

// parseSpan reads a time span as timeout(1) has it: a decimal number of seconds, or one
// with s, m, h or d behind it. It reads what Go writes too, such as 500ms or 1h30m. The
// result is 0 or more. What timeout(1) would take for more than nothing is a nanosecond at
// least, and what is longer than Go can hold is the longest. The error names the text and
// no flag.
func parseSpan(text string) (time.Duration, error) {
	number, unit := text, time.Second
	if last := len(text) - 1; last >= 0 && spanUnits[text[last]] != 0 {
		number, unit = text[:last], spanUnits[text[last]]
	}
	if plainNumber(number) {
		n, _ := strconv.ParseFloat(number, 64) // beyond its range it returns an infinity
		span := math.Ceil(n * float64(unit))
		if span >= math.MaxInt64 {
			return math.MaxInt64, nil
		}
		return time.Duration(span), nil
	}
	span, err := time.ParseDuration(text)
	if err != nil || strings.ContainsAny(text, "+-") {
		return 0, fmt.Errorf("%q is no time such as 90, 1.5m or 2h", text)
	}
	return span, nil
}

// plainNumber reports whether a text has digits, at most one point and nothing else.
func plainNumber(text string) bool {
	whole, fraction, _ := strings.Cut(text, ".")
	return whole+fraction != "" && !strings.ContainsFunc(whole+fraction, func(c rune) bool { return c < '0' || c > '9' })
}

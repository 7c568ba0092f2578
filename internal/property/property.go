// Package property checks a property for values that rapid draws, and returns the
// failure as text.
package property

import (
	"flag"
	"fmt"
	"strings"

	"pgregory.net/rapid"
)

// Check tests the property a number of times. It returns what rapid reports of the
// smallest example that fails, "" if the property held each time.
func Check(times int, holds func(*rapid.T)) (failure string) {
	for name, value := range map[string]string{"rapid.checks": fmt.Sprint(times), "rapid.nofailfile": "true"} {
		if err := flag.Set(name, value); err != nil {
			return err.Error()
		}
	}
	var r recorder
	rapid.Check(&r, holds)
	if !r.failed {
		return ""
	}
	return r.text.String()
}

// A recorder receives rapid's reports. GinkgoT ends the spec at the first failure,
// before rapid has reported the smallest example.
type recorder struct {
	failed bool
	text   strings.Builder
}

func (r *recorder) Helper()                           {}
func (r *recorder) Name() string                      { return "property" }
func (r *recorder) Logf(format string, args ...any)   { fmt.Fprintf(&r.text, format+"\n", args...) }
func (r *recorder) Log(args ...any)                   { fmt.Fprintln(&r.text, args...) }
func (r *recorder) Skipf(format string, args ...any)  { r.Logf(format, args...) }
func (r *recorder) Skip(args ...any)                  { r.Log(args...) }
func (r *recorder) SkipNow()                          {}
func (r *recorder) Errorf(format string, args ...any) { r.failed = true; r.Logf(format, args...) }
func (r *recorder) Error(args ...any)                 { r.failed = true; r.Log(args...) }
func (r *recorder) Fatalf(format string, args ...any) { r.Errorf(format, args...) }
func (r *recorder) Fatal(args ...any)                 { r.Error(args...) }
func (r *recorder) FailNow()                          { r.failed = true }
func (r *recorder) Fail()                             { r.failed = true }
func (r *recorder) Failed() bool                      { return r.failed }

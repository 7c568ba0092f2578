//go:build darwin || linux

// Puppet is a process that obeys the harness, as the test binary does when it is started
// under this name. A suite with thousands of puppets starts this smaller program:
//
//	harness.New(t, harness.Program("github.com/gemini-monitor/gemini/harness/puppet"))
package main

import "github.com/gemini-monitor/gemini/harness/internal/role"

func main() { role.Main() }

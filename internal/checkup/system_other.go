//go:build !darwin && !linux

package checkup

import "github.com/gemini-monitor/gemini/tracker/process"

func release() string { return "" }

func namespaces() []string { return nil }

func limits() Limits { return Limits{Files: Unlimited, FileSize: Unlimited} }

func threads(int) uint64 { return 0 }

func instancesOf([]process.Row) uint64 { return 0 }

func filesOf(int) *Quota { return nil }

func otherCgroup(int) string { return "" }

func session() Session { return Session{} }

func writable(string) error { return nil }

func room(string) (bytes, files uint64) { return Unlimited, Unlimited }

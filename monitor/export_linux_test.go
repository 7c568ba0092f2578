package monitor

import "github.com/gemini-monitor/gemini/tracker/process"

func HasFlock(info string) bool             { return hasFlock([]byte(info)) }
func IsKernelThread(p process.Process) bool { return isKernelThread(p) }

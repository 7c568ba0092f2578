package detach

import "os"

// environment is that of both processes. They take the store and all choices from their
// arguments, and need no variable: one of the job's could change how Go runs them (GOGC,
// GODEBUG), have a CI system end them with the job, or show a secret to who may read
// /proc/PID/environ.
func environment() []string {
	env := []string{} // os/exec takes nil for the environment of the caller
	for _, name := range keptVariables {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

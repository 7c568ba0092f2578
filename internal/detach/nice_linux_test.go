package detach_test

// kernelCountsDown: the system call returns 20 less the nice value (getpriority(2)).
const kernelCountsDown = true

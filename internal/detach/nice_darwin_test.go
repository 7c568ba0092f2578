package detach_test

const kernelCountsDown = false

package testproc

// leaderless is a part for Linux only: XNU has no first thread.
func leaderless() {}

package testproc

// leaderless is a part for Linux only: XNU knows no first thread.
func leaderless() {}

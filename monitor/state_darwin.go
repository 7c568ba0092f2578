package monitor

// stateDir is where programs keep a user's state, below the home directory.
const stateDir = "Library/Application Support"

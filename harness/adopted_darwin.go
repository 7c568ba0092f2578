package harness

// adopted reports that launchd adopts all orphans.
const adopted = false

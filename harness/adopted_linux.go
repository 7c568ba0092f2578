package harness

// adopted reports that a warden adopts the orphans of its tree (prctl(2),
// PR_SET_CHILD_SUBREAPER).
const adopted = true

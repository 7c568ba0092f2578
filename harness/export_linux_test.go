package harness

// CgroupDirectory returns the directory of the cgroup of a job, empty if it has none.
func (j *Job) CgroupDirectory() string {
	if j.cgroup == nil {
		return ""
	}
	return j.cgroup.dir
}

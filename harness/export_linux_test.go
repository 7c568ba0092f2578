package harness

// CgroupDirectory is where the cgroup of a job is, empty if it has none.
func (j *Job) CgroupDirectory() string {
	if j.cgroup == nil {
		return ""
	}
	return j.cgroup.dir
}

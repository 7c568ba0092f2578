package monitor

import (
	"context"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// Doubt writes into the record that it is unknown whether the runtime of an owner has
// members, for a reason, and that the calling process is its monitor. It is for a monitor
// that lives and has a defect. The runtime stays, and the lock is free afterwards. The
// error is [ErrWatched] where another monitor has it.
func (r *Runtime) Doubt(owner process.Identity, reason string) error {
	lock, err := r.lock(context.Background())
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := r.belongsTo(owner); err != nil {
		return err
	}
	record, err := r.Record()
	if err != nil {
		return err
	}
	self, err := process.Self()
	if err != nil {
		return err
	}
	record.Monitor, record.State, record.Reason = &self, StateUnknown, reason
	return record.write(r.Dir())
}

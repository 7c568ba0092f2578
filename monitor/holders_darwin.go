package monitor

import (
	"context"
	"os"
)

// holdersOf asks lsof(8), as only it may ask the kernel. Except to root, that shows no file
// of another user's process.
func (v *Survey) holdersOf(ctx context.Context, lease string) (holding []int, unseen int, err error) {
	if holding, err = askLsof(ctx, lease); err != nil || os.Geteuid() == 0 {
		return holding, 0, err
	}
	for _, p := range v.live {
		if p.User != os.Geteuid() {
			unseen++
		}
	}
	return holding, unseen, nil
}

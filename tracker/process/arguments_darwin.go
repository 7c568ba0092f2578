package process

// Arguments returns the words that the program of a process was started with. The error is
// [ErrGone] when the process is dead or exiting or the PID is another's,
// [io/fs.ErrPermission] when the process is another user's and the caller is not root
// (docs/xnu.md X71), and [ErrBetween].
func (r *Reader) Arguments(id Identity) (Arguments, error) {
	size, err := r.askWords(id)
	if err != nil {
		return Arguments{}, err
	}
	arguments, _, ok := cutProcArgs(r.words[:size])
	if !ok {
		return Arguments{}, ErrBetween
	}
	return parseArguments(arguments), nil
}

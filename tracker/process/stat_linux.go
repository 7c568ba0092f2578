package process

import (
	"bytes"
	"errors"
	"fmt"
)

// parseStat reads a line of /proc/PID/stat. The command may hold anything,
// brackets and spaces included, so the fields are counted from its last
// bracket: the state is the third, as proc(5) numbers them. A line that is cut, or whose
// PID is not positive, is an error.
func parseStat(line []byte) (p Row, err error) {
	open, end := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	if open < 0 || end < open {
		return Row{}, fmt.Errorf("unexpected line in /proc/PID/stat: %q", line)
	}
	var letter byte
	var threads int64
	p.PID = int(number(bytes.TrimSpace(line[:open])))
	p.Command = nameOf(line[open+1 : end])
	field := 3
	for word := range bytes.FieldsSeq(line[end+1:]) {
		switch field {
		case 3:
			letter = word[0]
		case 4:
			p.Parent = int(number(word))
		case 5:
			p.Group = int(number(word))
		case 6:
			p.Session = int(number(word))
		case 20:
			threads = number(word)
		case 22:
			p.Start = StartTime(number(word))
		}
		field++
	}
	if field <= 22 || p.PID <= 0 {
		return Row{}, fmt.Errorf("unexpected line in /proc/PID/stat: %q", line)
	}
	if p.State = stateOf(letter); p.State == Zombie {
		switch {
		case threads == 0:
			return Row{}, errPassing
		case threads > 1:
			// The first thread has ended. While others run, the process
			// lives, whatever the letter is.
			p.State, p.Headless = Running, true
		}
	}
	return p, nil
}

func stateOf(letter byte) State {
	switch letter {
	case 'T', 't':
		return Stopped
	case 'Z', 'X':
		return Zombie
	}
	return Running
}

// number reads a decimal number that the kernel wrote.
func number(word []byte) (n int64) {
	sign := int64(1)
	for _, c := range word {
		switch {
		case c == '-':
			sign = -1
		case c >= '0' && c <= '9':
			n = 10*n + int64(c-'0')
		}
	}
	return sign * n
}

// errPassing reports a row without threads. The kernel released the first thread
// while it wrote the row: the process is gone, or another thread of it, which
// execs, is becoming the first one. Reading again shows which.
var errPassing = errors.New("its row shows no thread at this moment")

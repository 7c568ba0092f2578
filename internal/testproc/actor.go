//go:build darwin || linux

package testproc

import (
	"bufio"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// The environment of an actor.
const (
	stageVariable = "TRACKER_STAGE" // the socket where it is expected
	voiceVariable = "TRACKER_VOICE" // a connection that was kept over exec
)

// A player is the part that obeys. It answers each order with one line: "ok"
// and perhaps a PID, or what went wrong.
type player struct {
	voice    int
	oracle   *os.File
	children map[int]*os.Process
}

// actor greets the stage with its PID and obeys until the spec ends.
func actor() {
	// On Linux Go makes a child of its own, once, to find out whether pidfds
	// work. That has to be over before the actor makes children by order.
	us, err := os.FindProcess(os.Getpid())
	Must(err)
	Must(us.Release())
	voice, err := speak()
	Must(err)
	p := &player{voice, os.NewFile(oracleDescriptor, "oracle"), make(map[int]*os.Process)}
	conversation := os.NewFile(uintptr(voice), "stage")
	fmt.Fprintln(conversation, "ok", os.Getpid())
	orders := bufio.NewScanner(conversation)
	for orders.Scan() {
		var verb string
		var number int
		fmt.Sscan(orders.Text(), &verb, &number)
		answer, err := p.obey(verb, number)
		if err != nil {
			answer = err.Error()
		}
		fmt.Fprintln(conversation, answer)
	}
}

// speak connects to the stage, by a plain blocking descriptor.
func speak() (voice int, err error) {
	if kept := os.Getenv(voiceVariable); kept != "" {
		os.Unsetenv(voiceVariable) // it is not for our children
		voice, err = strconv.Atoi(kept)
		unix.CloseOnExec(voice)
		return voice, err
	}
	if voice, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0); err != nil {
		return 0, err
	}
	unix.CloseOnExec(voice)
	return voice, unix.Connect(voice, &unix.SockaddrUnix{Name: os.Getenv(stageVariable)})
}

func (p *player) obey(verb string, number int) (answer string, err error) {
	answer = "ok"
	switch verb {
	case "spawn":
		number, err = p.spawn()
		answer = fmt.Sprint("ok ", number)
	case "reap":
		_, err = p.children[number].Wait()
	case "setsid":
		_, err = unix.Setsid()
	case "setpgid":
		err = unix.Setpgid(0, 0)
	case "exec":
		err = p.exec()
	case "exit":
		os.Exit(0)
	default:
		err = fmt.Errorf("unknown order %q", verb)
	}
	return answer, err
}

func (p *player) spawn() (int, error) {
	path, err := os.Executable()
	if err != nil {
		return 0, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	child, err := os.StartProcess(path, []string{path}, &os.ProcAttr{Files: []*os.File{null, null, null, p.oracle}})
	if err != nil {
		return 0, err
	}
	p.children[child.Pid] = child
	return child.Pid, nil
}

// exec begins the same program anew, which greets again.
func (p *player) exec() error {
	path, err := os.Executable()
	if err != nil {
		return err
	}
	if _, err := unix.FcntlInt(uintptr(p.voice), unix.F_SETFD, 0); err != nil {
		return err
	}
	return unix.Exec(path, []string{path}, append(os.Environ(), fmt.Sprint(voiceVariable, "=", p.voice)))
}

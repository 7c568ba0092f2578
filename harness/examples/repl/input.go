package main

import (
	"bufio"
	"errors"
	"io"
	"os"
)

var errInterrupted = errors.New("interrupted")

// An input reads byte by byte, and reads nothing before it is asked to: a read that
// began while the menu was open would not see ^D after it.
type input struct {
	wanted  chan struct{}
	bytes   chan answer
	pending bool // a byte is wanted and has not arrived
}

type answer struct {
	byte byte
	err  error
}

func newInput(r io.Reader) *input {
	in := &input{wanted: make(chan struct{}), bytes: make(chan answer)}
	go func() {
		for reader := bufio.NewReader(r); ; {
			<-in.wanted
			b, err := reader.ReadByte()
			in.bytes <- answer{b, err}
		}
	}()
	return in
}

// next returns the next byte. Its error is io.EOF, errInterrupted or one of the reader.
// After errInterrupted the next call returns the byte that this call has not.
func (in *input) next(interrupts <-chan os.Signal) (byte, error) {
	if !in.pending {
		in.wanted <- struct{}{}
		in.pending = true
	}
	select {
	case <-interrupts:
		return 0, errInterrupted
	case a := <-in.bytes:
		in.pending = false
		return a.byte, a.err
	}
}

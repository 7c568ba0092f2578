//go:build !linux && !darwin

package main

import (
	"context"
	"errors"
	"net"
)

const exitNotice = "none"

func watchExit(int) (func() error, error)    { return nil, errors.ErrUnsupported }
func watchGone(string) (func() error, error) { return nil, errors.ErrUnsupported }
func resident(int) (string, error)           { return "", errors.ErrUnsupported }
func switches(int) (int, error)              { return 0, errors.ErrUnsupported }
func births() (int, error)                   { return 0, errors.ErrUnsupported }
func processor() string                      { return "unknown processor" }
func load() string                           { return "unknown" }

func followAs(string, []string) error           { return errors.ErrUnsupported }
func askAndBecome(string, []string) error       { return errors.ErrUnsupported }
func serve(string) (net.Listener, error)        { return nil, errors.ErrUnsupported }
func (b bench) scale(context.Context) error     { return errors.ErrUnsupported }
func (b bench) routes(context.Context) error    { return errors.ErrUnsupported }
func (b bench) agents(context.Context) error    { return errors.ErrUnsupported }
func (b bench) residents(context.Context) error { return errors.ErrUnsupported }

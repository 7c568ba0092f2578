//go:build !darwin && !linux

package unixsocket

import (
	"context"
	"errors"
	"net"
	"time"
)

// A Listener is not supported here.
type Listener struct{}

// Listen is not supported here.
func Listen(string) (*Listener, error) { return nil, errors.ErrUnsupported }

// Path returns nothing.
func (l *Listener) Path() string { return "" }

// Accept is not supported here.
func (l *Listener) Accept() (*net.UnixConn, error) { return nil, errors.ErrUnsupported }

// AcceptNow is not supported here.
func (l *Listener) AcceptNow() (*net.UnixConn, error) { return nil, errors.ErrUnsupported }

// SetDeadline is not supported here.
func (l *Listener) SetDeadline(time.Time) error { return errors.ErrUnsupported }

// Refuse is not supported here.
func (l *Listener) Refuse() error { return errors.ErrUnsupported }

// Here returns false.
func (l *Listener) Here() bool { return false }

// Unlink is not supported here.
func (l *Listener) Unlink() error { return errors.ErrUnsupported }

// Close is not supported here.
func (l *Listener) Close() error { return errors.ErrUnsupported }

// Dial is not supported here.
func Dial(context.Context, string) (*net.UnixConn, error) { return nil, errors.ErrUnsupported }

// Remove is not supported here.
func Remove(string) error { return errors.ErrUnsupported }

// PeerOf is not supported here.
func PeerOf(*net.UnixConn) (Peer, error) { return Peer{}, errors.ErrUnsupported }

// UserOf is not supported here.
func UserOf(*net.UnixConn) (int, error) { return -1, errors.ErrUnsupported }

// HungUp returns false.
func HungUp(*net.UnixConn) bool { return false }

package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// escapeJSON escapes the characters of a JSON text that cannot be printed, besides the line
// ends between its tokens. The encoder leaves those from U+007F on as they are.
func escapeJSON(text []byte) []byte {
	var escaped []byte
	for _, c := range string(text) {
		switch {
		case c == '\n' || unicode.IsPrint(c):
			escaped = utf8.AppendRune(escaped, c)
		case c > 0xffff:
			high, low := utf16.EncodeRune(c)
			escaped = fmt.Appendf(escaped, `\u%04x\u%04x`, high, low)
		default:
			escaped = fmt.Appendf(escaped, `\u%04x`, c)
		}
	}
	return escaped
}

// oneLine returns the text of an error on one line, in printable characters.
// Errors that were joined are separated by semicolons. A line end anywhere else is part of
// a name, and is written as an escape.
func oneLine(err error) string {
	parts := parts(err)
	if joined(err, parts) {
		lines := make([]string, len(parts))
		for i, part := range parts {
			lines[i] = oneLine(part)
		}
		return strings.Join(lines, "; ")
	}
	var line strings.Builder
	rest := err.Error()
	for _, part := range parts {
		before, after, found := strings.Cut(rest, part.Error())
		if part.Error() != "" && found {
			line.WriteString(plain(before))
			line.WriteString(oneLine(part))
			rest = after
		}
	}
	line.WriteString(plain(rest))
	return line.String()
}

// parts returns the errors that an error wraps.
func parts(err error) []error {
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		return e.Unwrap()
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return []error{inner}
		}
	}
	return nil
}

// joined reports whether an error is of [errors.Join].
func joined(err error, parts []error) bool {
	texts := make([]string, len(parts))
	for i, part := range parts {
		texts[i] = part.Error()
	}
	return len(parts) > 1 && err.Error() == strings.Join(texts, "\n")
}

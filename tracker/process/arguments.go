package process

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// Arguments are the words that a program was started with, unless it has changed them
// since. They are the program's own: any bytes, which prove nothing.
type Arguments struct {
	// Words are nil where the process shows none.
	Words []string
	// Cut means that there are more than 4 KiB of them. The last word may be the beginning
	// of one.
	Cut bool
}

// longestArguments is how many bytes of an argument list are kept.
const longestArguments = 4 << 10

// parseArguments reads words, each of which ends with a zero byte. The last one may lack it.
func parseArguments(area []byte) (a Arguments) {
	if a.Cut = len(area) > longestArguments; a.Cut {
		area = wholeCharacters(area[:longestArguments])
	} else if len(area) > 0 && area[len(area)-1] == 0 {
		area = area[:len(area)-1]
	}
	words := strings.Split(string(area), "\x00")
	// A program that has written a title into the area leaves zero bytes behind it. A single
	// empty word may be an argument.
	if n := len(words); n > 2 && words[n-1] == "" && words[n-2] == "" {
		for len(words) > 1 && words[len(words)-1] == "" {
			words = words[:len(words)-1]
		}
	}
	if len(words) == 1 && words[0] == "" {
		return Arguments{}
	}
	a.Words = words
	return a
}

// wholeCharacters returns text without the beginning of a character at its end.
func wholeCharacters(text []byte) []byte {
	for back := 1; back < utf8.UTFMax && back <= len(text); back++ {
		if last := text[len(text)-back:]; utf8.RuneStart(last[0]) {
			if !utf8.FullRune(last) {
				return text[:len(text)-back]
			}
			break
		}
	}
	return text
}

// cutProcArgs divides what KERN_PROCARGS2 of XNU returns: the number of arguments, the path
// of the program, zero bytes up to a multiple of 8, the arguments, and the rest, which
// begins with the environment (docs/xnu.md X57). It reports false where the words of a
// program are not there, or not whole.
func cutProcArgs(area []byte) (arguments, rest []byte, ok bool) {
	const countSize, align = 4, 8
	if len(area) < countSize {
		return nil, nil, false
	}
	count := binary.LittleEndian.Uint32(area)
	area = area[countSize:]
	path := bytes.IndexByte(area, 0)
	padded := (path + align) / align * align // with the zero byte
	if count == 0 || path <= 0 || padded > len(area) {
		return nil, nil, false
	}
	area = area[padded:]
	for rest = area; count > 0; count-- {
		_, after, found := bytes.Cut(rest, []byte{0})
		if !found {
			return nil, nil, false
		}
		rest = after
	}
	return area[:len(area)-len(rest)], rest, true
}

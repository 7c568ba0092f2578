// Package plainjson is for the few JSON texts that a start of a runtime writes without
// encoding/json, which prepares each type when a process first uses it. For one text of a type
// that takes 40 times as long as to write it.
package plainjson

// Has reports whether JSON has a text as it is, between quotes.
func Has(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

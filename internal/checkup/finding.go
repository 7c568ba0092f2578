package checkup

// A Word is the outcome of a finding. No word contains another.
type Word string

const (
	// OK: all is as the README says.
	OK Word = "ok"
	// Note: no promise is weaker, and a user may want to know what is so.
	Note Word = "note"
	// Weaker: a promise of the README does not hold here in full.
	Weaker Word = "weaker"
	// Refused: no runtime can be made here.
	Refused Word = "refused"
)

// A Finding is what was found out about one subject.
type Finding struct {
	Word Word `json:"word"`
	// Subject is a word or two: "tracking", "store".
	Subject string `json:"subject"`
	// Is says what is so.
	Is string `json:"is"`
	// Follows says what follows from that for the runtimes that are made here.
	Follows string `json:"follows,omitempty"`
	// Change says what would change it.
	Change string `json:"change,omitempty"`
}

// Failed reports whether a promise is weaker here, or no runtime can be made.
func (c Finding) Failed() bool { return c.Word == Weaker || c.Word == Refused }

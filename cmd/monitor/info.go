package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

func newInfo(g *global) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "info [NAME]",
		Short: "Show a runtime: this one, or NAME",
		Long: `info shows the runtime that NAME names, or the one it is called in: the one that
the caller or its nearest ancestor is a member of. With none
it prints "No active runtime" and exits with 1.`,
		Example: `  monitor info
  monitor info --json build`,
		Args: arguments(0, 1, "at most the name of a runtime"),
		RunE: func(cmd *cobra.Command, args []string) error {
			status, err := g.status(cmd.Context(), args)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), status)
			}
			return printInfo(cmd.OutOrStdout(), status)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// status returns the status of the runtime that the arguments name, or of the
// current one.
func (g *global) status(ctx context.Context, args []string) (monitor.Status, error) {
	status, _, _, err := g.survey(ctx, args)
	return status, err
}

// survey is status with what it was found by.
func (g *global) survey(ctx context.Context, args []string) (monitor.Status, *monitor.Survey, *monitor.Store, error) {
	store, err := g.open()
	if err != nil {
		return monitor.Status{}, nil, nil, err
	}
	look := func() (monitor.Status, *monitor.Survey, *monitor.Store, error) {
		survey, err := store.Survey()
		if err != nil {
			return monitor.Status{}, nil, nil, err
		}
		find := survey.Current
		if len(args) > 0 {
			find = func() (monitor.Status, error) { return survey.Named(args[0]) }
		}
		status, err := find()
		return status, survey, store, err
	}
	status, survey, _, err := look()
	if err == nil && status.State == monitor.StateUnmonitored && g.adopt(ctx, store) {
		return look()
	}
	return status, survey, store, err
}

func printInfo(out io.Writer, s monitor.Status) error {
	w := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	line := func(key string, value any) { fmt.Fprintf(w, "%s:\t%v\n", key, value) }
	line("name", s.Name)
	line("state", plain(string(s.State)))
	if s.Reason != "" {
		line("reason", plain(s.Reason))
	}
	if s.State == monitor.StateBroken {
		return w.Flush()
	}
	line("command", commandLine(s.Command))
	if s.StartedIn != "" {
		line("started_in", quote(s.StartedIn))
	}
	line("owner", ownerOf(s))
	if s.Monitor != nil {
		line("monitor", fmt.Sprint("PID ", s.Monitor.PID))
	}
	if s.User != os.Geteuid() {
		line("user", userWords(s.User, names{}.name(s.User)))
	}
	line("members", headcount(s))
	if len(s.Released) > 0 {
		line("released", pidWords(s.Released)+", which run on and do not count")
	}
	line("created", s.Created.Local().Format(time.RFC3339))
	durableLines(s, line)
	line("directory", quote(s.Root))
	line("log", quote(s.Log))
	return w.Flush()
}

// pidWords returns the PIDs of processes in words, of many the first ones.
func pidWords(all []trees.Member) string {
	const most = 8
	var words []string
	for _, m := range all[:min(len(all), most)] {
		words = append(words, strconv.Itoa(m.PID))
	}
	text := "PID " + strings.Join(words, ", ")
	if more := len(all) - most; more > 0 {
		text += fmt.Sprintf(" and %d others", more)
	}
	return text
}

// ownerOf returns what is known of the owner of a runtime, in words.
func ownerOf(s monitor.Status) string {
	if s.OwnerEnded {
		return fmt.Sprintf("PID %d, which has ended", s.Owner.PID)
	}
	return fmt.Sprint("PID ", s.Owner.PID)
}

// commandLine returns a command in the form that a shell reads back.
func commandLine(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = quote(word)
	}
	return strings.Join(quoted, " ")
}

// quote returns a word as a shell reads it back, with printable characters only: no other
// reaches the terminal or breaks a line of a list.
func quote(word string) string {
	switch {
	case !printable(word):
		return "$" + escape(word)
	case word == "" || strings.ContainsFunc(word, special):
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}

// escape returns a word in single quotes, with the escapes that a shell reads in
// $'...'.
func escape(word string) string {
	var text strings.Builder
	text.WriteByte('\'')
	for len(word) > 0 {
		c, size := utf8.DecodeRuneInString(word)
		switch {
		case c == '\'' || c == '\\':
			text.WriteByte('\\')
			text.WriteRune(c)
		case c == '\n':
			text.WriteString(`\n`)
		case c == '\t':
			text.WriteString(`\t`)
		case c == utf8.RuneError && size == 1 || !unicode.IsPrint(c):
			for _, b := range []byte(word[:size]) {
				fmt.Fprintf(&text, `\%03o`, b)
			}
		default:
			text.WriteRune(c)
		}
		word = word[size:]
	}
	text.WriteByte('\'')
	return text.String()
}

// plain returns a text of foreign origin, such as a reason or the name of a program,
// on one line and with printable characters only.
func plain(text string) string {
	if printable(text) {
		return text
	}
	quoted := escape(text)
	return quoted[1 : len(quoted)-1]
}

// printable reports whether a text has no control character, none that changes the
// direction of others, no line end and no byte that is no character.
func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) })
}

func special(c rune) bool {
	return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-", c)
}

func printJSON(out io.Writer, value any) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false) // commands are full of & and >
	if err := e.Encode(value); err != nil {
		return err
	}
	_, err := out.Write(escapeJSON(text.Bytes()))
	return err
}

//go:build darwin || linux

package monitors

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A Pair is what the resident monitor of the store answers about itself.
type Pair struct {
	Resident int // PID
	Guard    int // PID, 0 for none
	Runtimes int // how many it watches
	Version  string
}

// Socket returns the path of the socket of the resident.
func (g *Gemini) Socket() string { return filepath.Join(g.Store, "resident.sock") }

// Pair asks the resident. The error reports that none answers.
func (g *Gemini) Pair(ctx context.Context) (Pair, error) {
	text, err := g.Ask(ctx, `{"method":"io.github.gemini-monitor.Status"}`)
	if err != nil {
		return Pair{}, err
	}
	var reply struct {
		Parameters struct {
			Process  struct{ PID int }
			Guard    int
			Runtimes int
			Version  string
		}
		Error string
	}
	if err := json.Unmarshal([]byte(text), &reply); err != nil {
		return Pair{}, fmt.Errorf("status of the resident: %q: %w", text, err)
	}
	p := reply.Parameters
	if reply.Error != "" || p.Process.PID == 0 {
		return Pair{}, fmt.Errorf("status of the resident: %s", text)
	}
	return Pair{p.Process.PID, p.Guard, p.Runtimes, p.Version}, nil
}

// answerTime is how long a resident may take to answer, on a busy machine.
const answerTime = 10 * time.Second

// Ask sends a message to the socket of the store and returns the answer, both without the
// zero byte at the end.
func (g *Gemini) Ask(ctx context.Context, message string) (string, error) {
	ctx, done := context.WithTimeout(ctx, answerTime)
	defer done()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", g.Socket())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, message+"\x00"); err != nil {
		return "", err
	}
	answer, err := bufio.NewReader(conn).ReadString(0)
	return strings.TrimSuffix(answer, "\x00"), err
}

// A process of a resident monitor in the table of ps: its options are internal ones.
var (
	residentLine = regexp.MustCompile(`^ *(\d+) .* serve --(?:detached|guarded) --idle`)
	guardLine    = regexp.MustCompile(`^ *(\d+) .* serve --guard --idle`)
)

// Processes returns the PIDs of all resident monitors of the store, and of all guards, as
// ps shows them. A resident in the foreground is not among them.
func (g *Gemini) Processes() (residents, guards []int, err error) {
	table, err := exec.Command("ps", "-A", "-ww", "-o", "pid=,args=").Output()
	if err != nil {
		return nil, nil, fmt.Errorf("ps: %w", err)
	}
	for line := range strings.Lines(string(table)) {
		if !strings.Contains(line, " --store "+g.Store+" ") {
			continue
		}
		if found := residentLine.FindStringSubmatch(line); found != nil {
			residents = append(residents, number(found[1]))
		}
		if found := guardLine.FindStringSubmatch(line); found != nil {
			guards = append(guards, number(found[1]))
		}
	}
	return residents, guards, nil
}

func number(text string) int {
	n, _ := strconv.Atoi(text) // it is digits
	return n
}

// Monitors returns the PID of the monitor of each runtime by its name, as the records have
// them: 0 where none has begun. No command is run, so nothing is taken over.
func (g *Gemini) Monitors() (map[string]int, error) {
	records, err := filepath.Glob(g.Path("[^.]*", "runtime.json"))
	if err != nil {
		return nil, err
	}
	found := make(map[string]int)
	for _, path := range records {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was removed meanwhile
		}
		var record struct{ Monitor *struct{ PID int } }
		if err == nil {
			err = json.Unmarshal(text, &record)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		name := filepath.Base(filepath.Dir(path))
		found[name] = 0
		if record.Monitor != nil {
			found[name] = record.Monitor.PID
		}
	}
	return found, nil
}

// An Entry is the part of a line of a journal that scenarios use.
type Entry struct {
	Time   time.Time
	Event  string
	Since  *time.Time
	Member struct{ PID, Start int64 }
}

// Journal returns the journal of a runtime so far, empty if it has none.
func (g *Gemini) Journal(runtime string) (entries []Entry) {
	text, _ := os.ReadFile(g.Path(runtime, "journal.jsonl"))
	for line := range strings.Lines(string(text)) {
		var e Entry
		if json.Unmarshal([]byte(line), &e) == nil { // the last line may be incomplete
			entries = append(entries, e)
		}
	}
	return entries
}

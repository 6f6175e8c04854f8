package dure

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// Context is one attempt of one invocation. It is a context.Context that is done when the invocation's time is up or when
// the process is asked to end.
type Context struct {
	context.Context
	machine *machine
	key     key
	meta    meta
	spool   spool
	stream  bool
	lost    uint64
	mutex   sync.Mutex
	names   map[string]bool
	seq     uint32
}

type meta struct {
	ID         string                     `json:"id"`
	MayHaveRun bool                       `json:"may_have_run"`
	Steps      map[string]json.RawMessage `json:"steps"`
}

// ID is the invocation's id.
func (c *Context) ID() string {
	if c.meta.ID != "" {
		return c.meta.ID
	}
	var digits [13]byte
	for i, number := 12, uint64(c.key.id()); i >= 0; i, number = i-1, number>>5 {
		digits[i] = "0123456789abcdefghjkmnpqrstvwxyz"[number&31]
	}
	return string(digits[:])
}

// Attempt counts from 1.
func (c *Context) Attempt() int { return int(c.key.attempt()) }

// MayHaveRun tells that an earlier attempt may have reached the code.
func (c *Context) MayHaveRun() bool { return c.meta.MayHaveRun }

// FunctionName and FunctionVersion tell what is running.
func (c *Context) FunctionName() string    { return os.Getenv("DURE_FUNCTION") }
func (c *Context) FunctionVersion() string { return os.Getenv("DURE_VERSION") }

// CheckpointDir is a folder of this invocation that later attempts see again. It is made when first asked for.
func (c *Context) CheckpointDir() (string, error) {
	return c.checkpointPath(), os.MkdirAll(c.checkpointPath(), 0o700)
}

func (c *Context) checkpointPath() string {
	return fmt.Sprintf("%s/ck/%d", c.machine.link.io, c.key.id())
}

// hasCheckpoint is true when the folder holds something; an empty one is removed.
func (c *Context) hasCheckpoint() bool {
	err := os.Remove(c.checkpointPath())
	return err != nil && !os.IsNotExist(err)
}

// Log writes a line, or several, to the invocation's log.
func (c *Context) Log(words ...any) { c.log(1, fmt.Sprintln(words...)) }

// Logf writes a formatted line to the invocation's log.
func (c *Context) Logf(format string, words ...any) { c.log(1, fmt.Sprintf(format, words...)) }

func (c *Context) log(stream byte, text string) {
	text = strings.ToValidUTF8(strings.TrimRight(text, "\n"), "\uFFFD")
	for first := true; first || text != ""; first = false {
		piece, rest := text, ""
		if len(text) > lineMax {
			cut := strings.LastIndexByte(text[:lineMax], '\n')
			if cut <= 0 {
				cut = lineMax
			}
			piece, rest = text[:cut], strings.TrimPrefix(text[cut:], "\n")
		}
		now := little(uint64(time.Now().UnixMilli()), 8)
		c.machine.link.log(c.key, frame(kindLog, c.key[:], []byte{stream}, now, []byte(piece)))
		text = rest
	}
}

// Write sends a piece of the result at once. What the handler returns afterwards, when not nil, is the last piece.
func (c *Context) Write(piece []byte) (int, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if !c.stream {
		c.stream, c.lost = true, c.machine.link.connectionsLost()
	}
	if err := c.spool.add(piece, func() string { return c.machine.link.payloadPath(c.key) }); err != nil {
		return 0, err
	}
	for rest := piece; len(rest) > 0; {
		size := len(rest)
		if size > inlineMax {
			size = inlineMax
		}
		c.machine.link.send(frame(kindChunk, c.key[:], rest[:size]))
		rest = rest[size:]
	}
	return len(piece), nil
}

// Step runs fn once for the whole invocation: its result is journaled as JSON, and later attempts get it without running
// fn. Either way the result is put into what result points to. Names are unique within an invocation.
func (c *Context) Step(name string, result any, fn func() (any, error)) error {
	c.mutex.Lock()
	used := c.names[name]
	if c.names == nil {
		c.names = map[string]bool{}
	}
	c.names[name] = true
	c.mutex.Unlock()
	if name == "" || len(name) > 1024 {
		return fmt.Errorf("the name of a step is a string of 1 to 1024 bytes")
	}
	if used {
		return fmt.Errorf("step %q was used before in this invocation: give each step its own name", name)
	}
	if finished, found := c.meta.Steps[name]; found {
		return json.Unmarshal(finished, result)
	}
	value, err := fn()
	if err != nil {
		return err
	}
	data, err := encode(value)
	if err != nil {
		return fmt.Errorf("the result of step %q cannot be written as JSON: %w", name, err)
	}
	if len(data)+len(name)+64 > frameMax {
		return fmt.Errorf("the result of step %q is %d bytes; at most 1,000,000 can be journaled: put the data into CheckpointDir", name, len(data))
	}
	c.mutex.Lock()
	c.seq++
	this := step{c.key, c.seq}
	c.mutex.Unlock()
	sent := frame(kindStep, c.key[:], little(uint64(this.seq), 4), little(uint64(len(name)), 2), []byte(name), data)
	<-c.machine.link.journal(this, sent)
	return json.Unmarshal(data, result)
}

func encode(value any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// spool keeps a streamed or large result, in a file once it is long.
type spool struct {
	memory []byte
	file   *os.File
}

func (s *spool) add(piece []byte, path func() string) error {
	if s.file == nil {
		s.memory = append(s.memory, piece...)
		if len(s.memory) <= inlineMax {
			return nil
		}
		file, err := os.OpenFile(path(), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		s.file, piece, s.memory = file, s.memory, nil
	}
	_, err := s.file.Write(piece)
	return err
}

// Package dure serves Dure invocations from a Go program:
//
//	func main() {
//		dure.Serve(func(ctx *dure.Context, event json.RawMessage) (any, error) { return event, nil })
//	}
package dure

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Handler is called once per invocation, on a goroutine of its own. The event is whatever bytes were sent, JSON by custom.
// A []byte result goes out as it is, an io.Reader is streamed, anything else becomes JSON.
type Handler func(ctx *Context, event json.RawMessage) (any, error)

const exitCancelled = 143 // as a shell says for SIGTERM

type machine struct {
	link     *link
	handler  Handler
	base     context.Context
	mutex    sync.Mutex
	running  map[key]*Context
	stopping bool
}

// Serve serves invocations until the process is ended. The standard logger writes to the log of the invocation when only
// one is running.
func Serve(handler Handler) {
	link, err := listen()
	if err != nil {
		fmt.Fprintln(os.Stderr, "[dure] cannot listen:", err)
		os.Exit(1)
	}
	base, cancel := context.WithCancel(context.Background())
	m := &machine{link: link, handler: handler, base: base, running: map[key]*Context{}}
	log.SetOutput(m)
	go m.endOnTerm(cancel)
	fmt.Fprintln(os.Stderr, "[dure]", link.serve(m.handle))
	os.Exit(1)
}

func (m *machine) endOnTerm(cancel context.CancelFunc) {
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	<-term
	cancel()
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.stopping = true
	if len(m.running) == 0 {
		os.Exit(exitCancelled)
	}
}

// Write takes what the standard logger writes.
func (m *machine) Write(line []byte) (int, error) {
	m.mutex.Lock()
	var only *Context
	if len(m.running) == 1 {
		for _, only = range m.running {
		}
	}
	m.mutex.Unlock()
	if only == nil {
		return os.Stderr.Write(line)
	}
	only.log(2, string(line))
	return len(line), nil
}

func (m *machine) handle(kind byte, body []byte) error {
	if kind != kindHello && !m.link.isGreeted() {
		return fmt.Errorf("frame %#x before HELLO", kind)
	}
	switch kind {
	case kindHello:
		var hello struct{ Protocol int }
		if err := json.Unmarshal(body, &hello); err != nil || hello.Protocol != 1 {
			return fmt.Errorf("another protocol than 1")
		}
		m.link.greet(m.ready())
		return nil
	case kindInvoke:
		return m.invoke(body)
	case kindAck:
		return m.link.acknowledge(body)
	case kindStepOK:
		if len(body) != len(key{})+4 {
			return errMalformed
		}
		var k key
		copy(k[:], body)
		m.link.stepDone(step{k, binary.LittleEndian.Uint32(body[len(k):])})
		return nil
	}
	return fmt.Errorf("frame %#x", kind)
}

func (m *machine) ready() []byte {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	running := [][2]any{}
	for k := range m.running {
		running = append(running, [2]any{fmt.Sprint(k.id()), k.attempt()})
	}
	text, _ := json.Marshal(map[string]any{"state": "ready", "pid": os.Getpid(), "runtime": runtime.Version(), "running": running})
	return frame(kindReady, text)
}

func (m *machine) invoke(body []byte) error {
	if len(body) < invokeHead || len(body)-invokeHead < int(binary.LittleEndian.Uint32(body[invokeHead-4:])) {
		return errMalformed
	}
	var k key
	copy(k[:], body)
	flags, deadline := body[12], binary.LittleEndian.Uint64(body[13:])
	metaEnd := invokeHead + int(binary.LittleEndian.Uint32(body[invokeHead-4:]))
	c := &Context{machine: m, key: k}
	m.mutex.Lock()
	known := m.running[k] != nil || m.link.sayAgain(k)
	if !known {
		m.running[k] = c
	}
	m.mutex.Unlock()
	if known {
		return nil
	}
	go m.run(c, flags, deadline, body[invokeHead:metaEnd], body[metaEnd:])
	return nil
}

func (m *machine) run(c *Context, flags byte, deadline uint64, meta, event []byte) {
	var cancel context.CancelFunc
	if deadline > 0 {
		c.Context, cancel = context.WithDeadline(m.base, time.UnixMilli(int64(deadline)))
	} else {
		c.Context, cancel = context.WithCancel(m.base)
	}
	defer cancel()
	result, failure := m.call(c, flags, meta, event)
	if failure == nil {
		failure = m.answer(c, result)
	}
	if failure != nil {
		m.fail(c, failure)
	}
	m.mutex.Lock()
	delete(m.running, c.key)
	leave := m.stopping && len(m.running) == 0
	m.mutex.Unlock()
	if leave {
		os.Exit(exitCancelled)
	}
}

type failure struct {
	ErrorType    string   `json:"errorType"`
	ErrorMessage string   `json:"errorMessage"`
	StackTrace   []string `json:"stackTrace"`
}

func failed(kind string, err any) *failure {
	text := fmt.Sprint(err)
	if len(text) > lineMax {
		text = fmt.Sprintf("%s... (%d bytes)", text[:lineMax], len(text))
	}
	return &failure{kind, text, []string{}}
}

func (m *machine) call(c *Context, flags byte, meta, event []byte) (result any, problem *failure) {
	var err error
	if flags&metaIsPath != 0 {
		meta, err = os.ReadFile(string(meta))
	}
	if err == nil && flags&isPath != 0 {
		event, err = os.ReadFile(string(event))
	}
	if err == nil && len(meta) > 0 {
		err = json.Unmarshal(meta, &c.meta)
	}
	if err != nil {
		return nil, failed("EventNotReadable", err)
	}
	defer func() {
		if cause := recover(); cause != nil {
			problem = failed("panic", cause)
			problem.StackTrace = stackOfPanic()
		}
	}()
	result, err = m.handler(c, event)
	if err != nil {
		return nil, failed(strings.TrimPrefix(fmt.Sprintf("%T", err), "*"), err)
	}
	if reader, streams := result.(io.Reader); streams {
		if closer, closes := result.(io.Closer); closes {
			defer closer.Close()
		}
		if _, err = io.CopyBuffer(struct{ io.Writer }{c}, reader, make([]byte, 64<<10)); err != nil {
			return nil, failed(strings.TrimPrefix(fmt.Sprintf("%T", err), "*"), err)
		}
		c.Write(nil)
		return nil, nil
	}
	return result, nil
}

// stackOfPanic leaves out the frames of the runtime and of this package.
func stackOfPanic() []string {
	lines := strings.Split(strings.TrimSpace(string(debug.Stack())), "\n")
	stack := []string{}
	for i := 1; i+1 < len(lines); i += 2 {
		if strings.HasPrefix(lines[i], "panic(") {
			stack = stack[:0]
			continue
		}
		if !strings.HasPrefix(lines[i], "dure.") && !strings.HasPrefix(lines[i], "created by dure.") {
			stack = append(stack, lines[i]+" "+strings.TrimSpace(lines[i+1]))
		}
	}
	return stack
}

func (m *machine) flags(c *Context) byte {
	if c.hasCheckpoint() {
		return hasCheckpoint
	}
	return 0
}

func (m *machine) answer(c *Context, result any) *failure {
	data, isBytes := result.([]byte)
	if !isBytes && !(c.stream && result == nil) {
		var err error
		if data, err = encode(result); err != nil {
			return failed("ResultNotJson", fmt.Sprintf("the handler's result cannot be written as JSON: %v", err))
		}
	}
	flags := m.flags(c)
	if !c.stream && len(data) <= inlineMax {
		m.link.keep(c.key, frame(kindResult, c.key[:], []byte{flags}, data), nil, 0)
		return nil
	}
	var brief []byte
	if c.stream {
		if _, err := c.Write(data); err != nil {
			return failed("ResultNotKept", err)
		}
		brief = frame(kindResult, c.key[:], []byte{flags | wasStreamed})
	} else if err := c.spool.add(data, func() string { return m.link.payloadPath(c.key) }); err != nil {
		return failed("ResultNotKept", err)
	}
	whole := c.spool.memory
	if c.spool.file != nil {
		c.spool.file.Close()
		flags |= isPath
		whole = []byte(m.link.payloadPath(c.key))
	}
	m.link.keep(c.key, frame(kindResult, c.key[:], []byte{flags}, whole), brief, c.lost)
	return nil
}

func (m *machine) fail(c *Context, problem *failure) {
	if c.spool.file != nil {
		c.spool.file.Close()
		os.Remove(c.spool.file.Name())
	}
	text, _ := json.Marshal(problem)
	m.link.keep(c.key, frame(kindError, c.key[:], []byte{m.flags(c)}, text), nil, 0)
}

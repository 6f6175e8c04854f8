package dure

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// link is the connection to the server: what is sent, what is kept until it is acknowledged, what is said again.
type link struct {
	io       string
	listener *net.UnixListener

	current atomic.Pointer[net.UnixConn] // as conn, but readable while a writer to it is stuck and holds the mutex

	mutex        sync.Mutex
	conn         *net.UnixConn
	greeted      bool
	lost         uint64 // connections lost so far
	kept         map[key][]byte
	steps        map[step]pendingStep
	backlog      [][]byte
	backlogBytes int
	dropped      int
	droppedKey   key
}

type step struct {
	key key
	seq uint32
}

type pendingStep struct {
	frame []byte
	done  chan struct{}
}

func listen() (*link, error) {
	io := os.Getenv("DURE_IO")
	if io == "" {
		io = "/dure/io"
	}
	path := io + "/fn.sock"
	hidden := path + ".new"
	os.Remove(path)
	os.Remove(hidden)
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: hidden, Net: "unix"})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false)
	// The worker takes the name's appearance for readiness, so it appears only once connections are accepted.
	if err := os.Rename(hidden, path); err != nil {
		return nil, err
	}
	return &link{io: io, listener: listener, kept: map[key][]byte{}, steps: map[step]pendingStep{}}, nil
}

// serve reads every connection, the newest at a time, and gives each frame to handle.
func (l *link) serve(handle func(kind byte, body []byte) error) error {
	for {
		conn, err := l.listener.AcceptUnix()
		if err != nil {
			return err
		}
		if old := l.current.Swap(conn); old != nil {
			old.Close()
		}
		l.mutex.Lock()
		l.drop(l.conn)
		l.conn = conn
		l.mutex.Unlock()
		go l.read(conn, handle)
	}
}

func (l *link) read(conn *net.UnixConn, handle func(kind byte, body []byte) error) {
	from := bufio.NewReaderSize(conn, 64<<10)
	for {
		kind, body, err := readFrame(from)
		if err == nil {
			if l.isCurrent(conn) {
				err = handle(kind, body)
			} else {
				err = net.ErrClosed
			}
			if err != nil && err != net.ErrClosed {
				fmt.Fprintln(os.Stderr, "[dure] the server's connection is ended:", err)
			}
		}
		if err != nil {
			l.mutex.Lock()
			l.drop(conn)
			l.mutex.Unlock()
			return
		}
	}
}

func (l *link) isCurrent(conn *net.UnixConn) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.conn == conn
}

func (l *link) drop(conn *net.UnixConn) {
	if conn == nil || l.conn != conn {
		return
	}
	conn.Close()
	l.conn, l.greeted = nil, false
	l.lost++
}

func (l *link) raw(data []byte) bool {
	if l.conn == nil {
		return false
	}
	if _, err := l.conn.Write(data); err != nil {
		l.drop(l.conn)
		return false
	}
	return true
}

// greet says READY, then what no server has acknowledged.
func (l *link) greet(ready []byte) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	all := ready
	for _, one := range l.backlog {
		all = append(all, one...)
	}
	if l.dropped > 0 {
		text := fmt.Sprintf("[dure] %d lines were dropped while no server was reading", l.dropped)
		all = append(all, frame(kindLog, l.droppedKey[:], []byte{2}, little(uint64(time.Now().UnixMilli()), 8), []byte(text))...)
	}
	for _, one := range l.steps {
		all = append(all, one.frame...)
	}
	for _, one := range l.kept {
		all = append(all, one...)
	}
	l.greeted = true
	l.backlog, l.backlogBytes, l.dropped = nil, 0, 0
	l.raw(all)
}

func (l *link) isGreeted() bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.greeted
}

func (l *link) connectionsLost() uint64 {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.lost
}

// send sends when a server is there; what must not be lost is kept elsewhere.
func (l *link) send(data []byte) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.greeted {
		l.raw(data)
	}
}

// log sends a log frame or keeps it for the next connection.
func (l *link) log(k key, data []byte) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.greeted && l.raw(data) {
		return
	}
	if l.backlogBytes+len(data) > backlogMax {
		l.dropped += 1 + bytes.Count(data[26:], []byte{'\n'})
		l.droppedKey = k
		return
	}
	l.backlog = append(l.backlog, data)
	l.backlogBytes += len(data)
}

// keep sends an answer and says it again on every connection until it is acknowledged. brief, when not nil, is for the
// connection that saw everything before it, the one that was there when lost connections were counted.
func (l *link) keep(k key, whole, brief []byte, lost uint64) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.kept[k] = whole
	if !l.greeted {
		return
	}
	if brief != nil && lost == l.lost {
		whole = brief
	}
	l.raw(whole)
}

func (l *link) sayAgain(k key) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	told, found := l.kept[k]
	if found {
		l.raw(told)
	}
	return found
}

func (l *link) acknowledge(keys []byte) error {
	if len(keys)%len(key{}) != 0 {
		return errMalformed
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for ; len(keys) > 0; keys = keys[len(key{}):] {
		var k key
		copy(k[:], keys)
		if told, found := l.kept[k]; found {
			delete(l.kept, k)
			if told[4] == kindResult && told[17]&isPath != 0 {
				os.Remove(string(told[18:]))
			}
		}
	}
	return nil
}

// journal sends a step; the channel is closed once it is durable.
func (l *link) journal(s step, data []byte) <-chan struct{} {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	done := make(chan struct{})
	l.steps[s] = pendingStep{data, done}
	if l.greeted {
		l.raw(data)
	}
	return done
}

func (l *link) stepDone(s step) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if pending, found := l.steps[s]; found {
		delete(l.steps, s)
		close(pending.done)
	}
}

// payloadPath is where a large result goes; it makes the folder.
func (l *link) payloadPath(k key) string {
	os.Mkdir(l.io+"/out", 0o700)
	return fmt.Sprintf("%s/out/%d-%d", l.io, k.id(), k.attempt())
}

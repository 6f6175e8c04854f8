package dure

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Frames of the function protocol (docs/protocol.md).
const (
	kindHello byte = iota + 0x01
	kindAssign
	kindInvoke
	kindAck
	kindStepOK
)

const (
	kindReady byte = iota + 0x11
	kindInitError
	kindResult
	kindError
	kindChunk
	kindLog
	kindStep
)

const (
	isPath        byte = 1
	wasStreamed   byte = 2
	hasCheckpoint byte = 4
	metaIsPath    byte = 2
)

const (
	frameMax   = 1 << 20   // bytes after the length field
	inlineMax  = 256 << 10 // longer payloads travel as files
	backlogMax = 4 << 20   // bytes of log frames kept while no server is there
	lineMax    = 64 << 10  // bytes; a longer line is cut into several
	invokeHead = 12 + 1 + 8 + 4
)

// key is the u64 id and u32 attempt of an invocation as they are on the wire.
type key [12]byte

func (k key) id() uint64      { return binary.LittleEndian.Uint64(k[:8]) }
func (k key) attempt() uint32 { return binary.LittleEndian.Uint32(k[8:]) }

func frame(kind byte, parts ...[]byte) []byte {
	length := 1
	for _, part := range parts {
		length += len(part)
	}
	out := make([]byte, 5, 4+length)
	binary.LittleEndian.PutUint32(out, uint32(length))
	out[4] = kind
	for _, part := range parts {
		out = append(out, part...)
	}
	return out
}

func readFrame(from io.Reader) (byte, []byte, error) {
	var head [5]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return 0, nil, err
	}
	length := binary.LittleEndian.Uint32(head[:])
	if length == 0 || length > frameMax {
		return 0, nil, fmt.Errorf("a frame of %d bytes", length)
	}
	body := make([]byte, length-1)
	_, err := io.ReadFull(from, body)
	return head[4], body, err
}

func little(value uint64, size int) []byte {
	out := make([]byte, 8)
	binary.LittleEndian.PutUint64(out, value)
	return out[:size]
}

var errMalformed = errors.New("a frame that makes no sense")

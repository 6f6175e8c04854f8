"""Calls the handler and turns what it gives or raises into frames."""
import _thread
import json
import os
from contextvars import copy_context

from . import load, wire
from .link import Spool, result_frame, write_all
from .output import ERR, OUT, current
from .wire import ERROR, HAS_CHECKPOINT, INLINE_MAX, IS_PATH, KEY, WAS_STREAMED, frame

encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
decode = json.JSONDecoder().decode
PLAIN = frozenset((dict, list, str, int, float, bool, type(None), bytes, tuple))


class Calls:
    """The part of the machine that runs one invocation, on whatever thread or task."""

    def event(self, flags, payload):
        if flags & IS_PATH:
            with open(payload, "rb") as file:
                payload = file.read()
        if self.raw:
            return payload
        if not payload:
            return {}
        try:
            return decode(str(payload, "utf-8"))
        except (ValueError, RecursionError) as error:
            raise load.InitError("InvalidJson", f"the event is not JSON: {error}; a module that wants bytes says raw = True") from None

    def run(self, context, flags, payload):
        """Calls a handler on this thread and sends its answer."""
        context._thread = here = _thread.get_ident()
        main = here == self.main_thread
        self.begin()
        try:
            event = self.event(flags, payload)
            if main:
                self.in_user = True
            result = copy_context().run(self._call, context, event)
            if main:
                self.in_user = False
            sent = self._answer(context, result)
        except BaseException as error:
            if main:
                self.in_user = False
            sent = self._failure(context, error)
        self._finish(context, sent)

    def _call(self, context, event):
        current.set(context)
        result = self.handler(event, context)
        if type(result) in PLAIN:
            return result
        if hasattr(result, "__await__") or hasattr(result, "__anext__"):
            # It did not look async: a decorator, or a function that returns somebody else's coroutine.
            import asyncio
            context._awaits = True
            return asyncio.run(self._settle(context, result))
        return self._drain(context, result)

    def _drain(self, context, result):
        if hasattr(result, "__next__"):
            self._open_stream(context)
            for piece in result:
                self._chunk(context, piece)
        return result

    async def run_async(self, context, flags, payload):
        """Calls a handler on the event loop and sends its answer."""
        context._awaits = True
        try:
            result = await self._settle(context, self.handler(self.event(flags, payload), context))
            sent = self._answer(context, result)
        except BaseException as error:
            sent = self._failure(context, error)
        self._finish(context, sent)
        if self.stopping:
            self.leave()

    async def _settle(self, context, result):
        if hasattr(result, "__await__"):
            result = await result
        if hasattr(result, "__anext__"):
            self._open_stream(context)
            async for piece in result:
                self._chunk(context, piece)
            return result
        return self._drain(context, result)

    def _open_stream(self, context):
        number = KEY.unpack(context._key)
        context._spool, context._lost = Spool(lambda: self.link.payload_path(*number)), self.link.lost

    def _chunk(self, context, piece):
        if isinstance(piece, str):
            piece = piece.encode("utf-8", "surrogatepass")
        elif not isinstance(piece, (bytes, bytearray, memoryview)):
            piece = encode(piece).encode("utf-8", "surrogatepass") + b"\n"
        piece = bytes(piece)
        if self.output.pending:
            self.output.flush()
        context._spool.add(piece)
        for at in range(0, len(piece), INLINE_MAX):
            self.link.send(frame(wire.CHUNK, context._key, piece[at:at + INLINE_MAX]))

    def _answer(self, context, result):
        """The RESULT frame; raises when the result cannot be sent."""
        key, flags = context._key, HAS_CHECKPOINT if context._has_checkpoint() else 0
        if context._spool is not None:
            return self._streamed(context, flags)
        if type(result) in (bytes, bytearray, memoryview):
            payload = bytes(result)
        else:
            try:
                payload = encode(result).encode("utf-8", "surrogatepass")
            except (TypeError, ValueError, RecursionError) as error:
                raise load.InitError("ResultNotJson", f"the handler's result cannot be written as JSON: {error}") from None
        if len(payload) > INLINE_MAX:
            path = self.link.payload_path(*KEY.unpack(key))
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                write_all(descriptor, payload)
            finally:
                os.close(descriptor)
            flags, payload = flags | IS_PATH, os.fsencode(path)
        self.link.kept[key] = sent = result_frame(key, flags, payload)
        return sent

    def _streamed(self, context, flags):
        more, payload = context._spool.close()
        self.link.kept[context._key] = whole = result_frame(context._key, flags | more, payload)
        if context._lost == self.link.lost and self.link.greeted:
            return result_frame(context._key, flags | WAS_STREAMED, b"")
        return whole

    def _failure(self, context, error):
        if context._spool is not None:
            context._spool.discard()
        flags = HAS_CHECKPOINT if context._has_checkpoint() else 0
        told = load.describe(error)
        if self.stopping and told["errorType"] == "CancelledError":
            told["errorType"], told["errorMessage"] = "Cancelled", "the invocation was cancelled"
        text = json.dumps(told).encode()
        self.link.kept[context._key] = sent = frame(ERROR, context._key, bytes((flags,)), text)
        return sent

    def _finish(self, context, sent):
        if self.pid != os.getpid():
            os._exit(0)  # a child that the handler forked came back out of it
        if self.output.pending or context._partial[OUT] or context._partial[ERR]:
            self.output.finish(context)
        context._done = True
        self.link.send(sent)
        del self.running[context._key]

"""What a handler is given besides its event."""
import os
from time import time

from .link import io_folder
from .wire import FRAME_MAX, KEY, STEP, STEP_HEAD


class Cancelled(KeyboardInterrupt):
    """Raised inside the handler when its invocation is cancelled or its machine stops: clean up and leave."""


class Context:
    """One attempt of one invocation."""

    __slots__ = ("_key", "attempt", "may_have_run", "_deadline", "_finished", "_seq", "_names", "_partial", "_done",
                 "_checkpoint", "_awaits", "_machine", "_meta", "_thread", "_task", "_spool", "_lost")

    function_name = function_version = invoked_function_arn = ""
    memory_limit_in_mb = log_group_name = log_stream_name = client_context = identity = None

    def __init__(self, machine, key, attempt, deadline, meta):
        self._machine, self._key, self.attempt, self._deadline, self._meta = machine, key, attempt, deadline, meta
        self._finished = meta.get("steps") or {}
        self.may_have_run = bool(meta.get("may_have_run"))
        self._seq, self._names, self._partial, self._done = 0, None, ["", "", ""], False
        self._checkpoint = self._spool = self._thread = self._task = None
        self._awaits, self._lost = False, 0

    @property
    def aws_request_id(self):
        """The invocation's id, as the command line and the API write it."""
        number = KEY.unpack(self._key)[0]
        return self._meta.get("id") or "".join("0123456789abcdefghjkmnpqrstvwxyz"[number >> shift & 31] for shift in range(60, -1, -5))

    @property
    def trace_id(self):
        return self._meta.get("trace")

    def get_remaining_time_in_millis(self):
        """Milliseconds until the invocation is ended; a very large number when it has no limit."""
        return max(0, self._deadline - int(time() * 1000)) if self._deadline else 2 ** 53

    @property
    def checkpoint_dir(self):
        """A folder of this invocation that later attempts see again. Made when first asked for."""
        if self._checkpoint is None:
            folder = self._checkpoint_path()
            os.makedirs(folder, 0o700, exist_ok=True)
            self._checkpoint = folder
        return self._checkpoint

    def _checkpoint_path(self):
        return f"{io_folder()}/ck/{KEY.unpack(self._key)[0]}"

    def _has_checkpoint(self):
        """True when the folder holds something; an empty one is removed."""
        if self._checkpoint is None and self.attempt <= 1:
            return False
        try:
            os.rmdir(self._checkpoint_path())
            return False
        except FileNotFoundError:
            return False
        except OSError:
            return True

    def step(self, name, fn, *args):
        """Runs fn once for the whole invocation: its JSON result is journaled, and later attempts get it without running fn.

        In an async handler the step must be awaited, and fn may be async. Names are unique within an invocation.
        """
        if self._awaits:
            return self._step_later(name, fn, args)
        done, value, seq = self._step_begin(name)
        if done:
            return value
        machine = self._machine
        value = fn(*args)
        if hasattr(value, "__await__"):
            raise TypeError(f"step {name!r}: an async function needs an async handler")
        outer, machine.in_user = machine.in_user, False
        try:
            arrived = machine.expect_step(self._key, seq)
            text = self._step_send(name, value, seq)
            machine.wait_step(arrived)
        finally:
            machine.in_user = outer
        return machine.decode(text)

    async def _step_later(self, name, fn, args):
        done, value, seq = self._step_begin(name)
        if done:
            return value
        value = fn(*args)
        if hasattr(value, "__await__"):
            value = await value
        future = self._machine.step_future(self._key, seq)
        text = self._step_send(name, value, seq)
        await future
        return self._machine.decode(text)

    def _step_begin(self, name):
        if not isinstance(name, str) or not 0 < len(name.encode()) <= 1024:
            raise ValueError("the name of a step is a string of 1 to 1024 bytes")
        if self._names is None:
            self._names = set()
        if name in self._names:
            raise ValueError(f"step {name!r} was used before in this invocation: give each step its own name")
        self._names.add(name)
        if name in self._finished:
            return True, self._finished[name], 0
        self._seq += 1
        return False, None, self._seq

    def _step_send(self, name, value, seq):
        try:
            text = self._machine.encode(value)
        except (TypeError, ValueError) as error:
            raise TypeError(f"the result of step {name!r} cannot be written as JSON: {error}") from None
        data, label = text.encode("utf-8", "surrogatepass"), name.encode()
        if len(data) + len(label) + 64 > FRAME_MAX:
            raise ValueError(f"the result of step {name!r} is {len(data)} bytes; at most 1,000,000 can be journaled: put the data into checkpoint_dir")
        self._machine.output.flush()
        sent = STEP_HEAD.pack(len(data) + len(label) + 19, STEP, self._key, seq, len(label)) + label + data
        self._machine.link.steps[(self._key, seq)] = sent
        self._machine.link.send(sent)
        return text


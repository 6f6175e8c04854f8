"""How the process ends when it is asked to."""
import _thread
import os
import sys

from . import load
from .context import Cancelled

EXIT_CANCELLED = 143  # as a shell says for SIGTERM


class Ending:
    """The part of the machine that answers SIGTERM."""

    def on_term(self, _number, interrupted):
        """SIGTERM: handlers get a Cancelled (async: a CancelledError) so that their cleanup runs; idle, the process ends."""
        first, self.stopping = not self.stopping, True
        if not self.running:
            sys.exit(EXIT_CANCELLED)
        if self.loop is not None:
            if first:
                self.loop.call_soon_threadsafe(self._cancel_tasks)
            return
        if first:
            for context in list(self.running.values()):
                if context._thread not in (None, self.main_thread):
                    raise_in(context._thread, Cancelled)
        if self.in_user:
            if not interrupted.f_code.co_filename.startswith(load.HERE):
                raise Cancelled("the invocation was cancelled")
        elif not any(context._thread in (None, self.main_thread) for context in list(self.running.values())):
            return  # the last of the other threads ends the process
        self.signal_again = True  # the shim itself was interrupted and must not be; soon the handler is
        self._wake_sleeper()

    def _cancel_tasks(self):
        for context in list(self.running.values()):
            if context._task is not None:
                context._task.cancel()

    def leave(self):
        """Ends the process once no handler runs any more."""
        if self.running:
            return
        self.output.flush()
        if self.loop is not None:
            self.loop.stop()
        elif _thread.get_ident() == self.main_thread:
            sys.exit(EXIT_CANCELLED)
        else:
            os._exit(EXIT_CANCELLED)


def raise_in(thread, exception):
    import ctypes
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(exception))

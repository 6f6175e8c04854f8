"""Starts the machine: at once for a known handler, later by ASSIGN for a generic process."""
import os

from .link import Link, io_folder
from .machine import Machine

HELLO_WAIT_S = 60  # a function that cannot start tells the server so, then ends; without a server it ends too


def main(after_listening=None, rehearse=False):
    import _signal
    machine = Machine(Link())
    if after_listening:
        after_listening()
    handler = os.environ.get("DURE_HANDLER")
    if handler:
        machine.initialise(handler)
    if machine.failed:
        _tell_failure(machine)
    if rehearse:
        machine.rehearse()
    _signal.signal(_signal.SIGTERM, machine.on_term)
    machine.serve()


def _tell_failure(machine):
    link = machine.link
    link.listener.settimeout(HELLO_WAIT_S)
    while True:
        link.accept()
        if link.sock is None:
            os._exit(1)
        link.sock.settimeout(HELLO_WAIT_S)
        while link.sock is not None:
            machine.read()



__all__ = ["io_folder", "main"]

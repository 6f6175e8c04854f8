"""Runs a packed function as the server does: its files in a folder of their own, its handler in a fresh interpreter."""

import os
import pickle
import subprocess
import sys
import tempfile

import dure

RUN = """
import sys
sys.path.insert(0, sys.argv[1])
import handler, traceback
assert handler.raw
try:
    with open(sys.argv[2], "rb") as event:
        result = handler.handler(event.read(), None)
    if hasattr(result, "__await__"):
        import asyncio, inspect
        async def wait(awaitable):
            return await awaitable
        result = asyncio.run(wait(result))
except BaseException:
    traceback.print_exc()
    sys.exit(1)
sys.stdout.buffer.write(result if isinstance(result, bytes) else repr(result).encode())
"""


class Failed(Exception):
    pass


def run(fn, event, packed_by=None):
    """What the handler answers to these bytes."""
    remote = fn if isinstance(fn, dure.Remote) else dure.Remote(fn)
    with tempfile.TemporaryDirectory() as folder:
        for path, data in remote._files()[0].items():
            if path == "handler.py" and packed_by:
                data = data.replace(dure._PYTHON.encode(), packed_by.encode())
            os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
            with open(os.path.join(folder, path), "wb") as file:
                file.write(data)
        with open(os.path.join(folder, "event"), "wb") as file:
            file.write(event)
        done = subprocess.run([sys.executable, "-I", "-B", "-c", RUN, folder, os.path.join(folder, "event")], capture_output=True, timeout=60, cwd="/")
    if done.returncode != 0:
        raise Failed(done.stderr.decode())
    return done.stdout


def call(fn, *args, **kwargs):
    """What fn(*args, **kwargs) returns there."""
    remote = fn if isinstance(fn, dure.Remote) else dure.Remote(fn)
    classes = remote._files()[1]
    return pickle.loads(run(remote, dure._pack((args, kwargs), classes)[0]))


def script(text, *options):
    """Runs this text as a script, study.py (or as the options of the interpreter say); what it prints."""
    here = os.path.dirname(os.path.abspath(__file__))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "study.py")
        with open(path, "w") as file:
            file.write("import dure\nfrom away import call\n" + text)
        paths = os.pathsep.join([here, os.path.dirname(here)])
        piped = {"input": "import dure\nfrom away import call\n" + text} if "-" in options else {}
        done = subprocess.run([sys.executable, "-B", *(options or [path])], capture_output=True, text=True, timeout=60,
                              env={**os.environ, "PYTHONPATH": paths}, **piped)
    if done.returncode != 0:
        raise Failed(done.stdout + done.stderr)
    return done.stdout

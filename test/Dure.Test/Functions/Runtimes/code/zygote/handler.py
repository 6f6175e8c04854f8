"""Does what the test asks, from inside a forked sandbox."""
import ctypes
import os
import resource
import socket
import subprocess
import sys
import time


def handler(event, context):
    try:
        return eval(event["python"])
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def lines(path, *names):
    with open(path) as file:
        return [line.split()[1] for line in file if line.startswith(names)]


def write(path, data):
    with open(path, "w") as file:
        return file.write(data)


def read(path):
    with open(path) as file:
        return file.read()


def pty():
    os.openpty()
    return sorted(os.listdir("/dev/pts"))


def leave_daemon():
    """A grandchild in a session of its own, which only the end of the namespace can end."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(60)
        os._exit(0)
    os.wait()
    time.sleep(0.05)
    return len([name for name in os.listdir("/proc") if name.isdigit()])

"""What an upload costs without a server: one process that copies a file, flushes it, and hashes it. Usage: plain.py serial|side-by-side FILE COPY"""

import hashlib
import json
import os
import sys
import threading
import time

CHUNK = 1 << 20


def copy(source, target):
    buffer = bytearray(CHUNK)
    view = memoryview(buffer)
    with open(source, "rb", buffering=0) as file, open(target, "wb", buffering=0) as out:
        while count := file.readinto(buffer):
            out.write(view[:count])
        os.fsync(out.fileno())


def digest(name, source):
    with open(source, "rb", buffering=0) as file:
        hashlib.file_digest(file, name) if hasattr(hashlib, "file_digest") else _digest(hashlib.new(name), file)


def _digest(hash, file):
    while chunk := file.read(CHUNK):
        hash.update(chunk)


def main():
    how, source, target = sys.argv[1:]
    steps = {"write": lambda: copy(source, target), "md5": lambda: digest("md5", source), "sha256": lambda: digest("sha256", source)}
    took = {}

    def timed(name, step):
        began = time.monotonic()
        step()
        took[name + "_s"] = time.monotonic() - began

    began = time.monotonic()
    if how == "serial":
        for name, step in steps.items():
            timed(name, step)
    else:
        threads = [threading.Thread(target=timed, args=step) for step in steps.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print(json.dumps({**took, "per_second": os.path.getsize(source) / (time.monotonic() - began)}))


main()

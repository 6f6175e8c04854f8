"""Entry of a Python function: see runtimes/README.md for how it is started and docs/protocol.md for what it speaks."""
import sys

# Isolated mode leaves this folder off the path, and function code must not find it there either.
sys.path.insert(0, __file__.rpartition("/")[0])
from dure_shim import serve  # noqa: E402

del sys.path[0]

if __name__ == "__main__":
    serve.main()

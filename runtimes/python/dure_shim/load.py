"""Finds the handler and tells failures in the words of the function's author."""
import os
import sys

from .wire import TEXT_MAX

HERE = __file__.rpartition("/")[0]
CALLS = HERE + "/calls.py"
COROUTINE, ASYNC_GENERATOR = 0x80, 0x200  # code flags, as inspect names them


class InitError(Exception):
    def __init__(self, kind, message, stack=()):
        super().__init__(message)
        self.kind, self.stack = kind, list(stack)


def prepare_path():
    """/code, then /deps, then Python's own, then the system's packages (site is not imported: it costs more than the shim)."""
    code, deps = os.environ.get("DURE_CODE") or "/code", os.environ.get("DURE_DEPS") or "/deps"
    for folder in (deps, code):
        if folder in sys.path:
            sys.path.remove(folder)
        sys.path.insert(0, folder)
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for folder in (f"/usr/local/lib/{version}/dist-packages", "/usr/lib/python3/dist-packages"):
        if folder not in sys.path and os.path.isdir(folder):
            sys.path.append(folder)
    try:
        links = any(name.endswith(".pth") for name in os.listdir(deps))
    except OSError:
        return code
    if links:
        import site
        site.addsitedir(deps)
    return code


def load(name):
    """The module and function that `module.function` names."""
    code = prepare_path()
    module_name, dot, function_name = name.rpartition(".")
    if not dot or not module_name or not function_name:
        raise InitError("HandlerNotFound", f"the handler {name!r} is not of the form module.function")
    module_name = module_name.replace("/", ".")
    try:
        __import__(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not (module_name + ".").startswith(error.name + "."):
            raise
        here = sorted(n for n in os.listdir(code) if n.endswith(".py")) if os.path.isdir(code) else []
        raise InitError("HandlerNotFound", f"the handler is {name!r}, but there is no {module_name.replace('.', '/')}.py; "
                        f"the function's folder has {', '.join(here) or 'no Python file'}") from None
    module = sys.modules[module_name]
    handler = getattr(module, function_name, None)
    if handler is None:
        names = [n for n, v in vars(module).items() if callable(v) and getattr(v, "__module__", None) == module_name]
        raise InitError("HandlerNotFound", f"{module_name.replace('.', '/')}.py has no {function_name!r}; it defines {', '.join(names) or 'no function'}")
    if not callable(handler):
        raise InitError("HandlerNotFound", f"{name} is a {type(handler).__name__}, not a function")
    return module, handler


def is_async(handler):
    """True when calling the handler gives a coroutine or an async generator."""
    seen = 0
    while seen < 50:
        seen += 1
        if hasattr(handler, "__wrapped__"):
            handler = handler.__wrapped__
        elif type(handler).__name__ == "partial" and hasattr(handler, "func"):
            handler = handler.func
        else:
            break
    code = getattr(handler, "__code__", None) or getattr(getattr(type(handler), "__call__", None), "__code__", None)
    return code is not None and bool(code.co_flags & (COROUTINE | ASYNC_GENERATOR))


def describe(error):
    """An exception as the protocol's JSON error, without the shim's own frames."""
    if isinstance(error, InitError):
        return {"errorType": error.kind, "errorMessage": str(error), "stackTrace": error.stack}
    import traceback
    if isinstance(error, SyntaxError):
        lines = traceback.format_exception_only(type(error), error)
        return {"errorType": type(error).__name__, "errorMessage": _text(error), "stackTrace": lines}
    stack = []
    _stack_of(error, stack, 0, traceback)
    return {"errorType": type(error).__name__, "errorMessage": _text(error), "stackTrace": stack}


def _stack_of(error, stack, depth, traceback):
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None and depth < 10 and not isinstance(earlier, InitError):
        _stack_of(earlier, stack, depth + 1, traceback)
        stack.append(f"{type(earlier).__name__}: {_text(earlier)}\n")
        stack.append("\nThe above exception was the direct cause of the following exception:\n" if error.__cause__
                     else "\nDuring handling of the above exception, another exception occurred:\n")
    frames = traceback.extract_tb(error.__traceback__, limit=-1000)
    for at in range(len(frames) - 1, -1, -1):
        if frames[at].filename == CALLS:
            frames = frames[at + 1:]
            break
    frames = [f for f in frames if not f.filename.startswith(HERE) and not f.filename.startswith("<frozen importlib")]
    if len(frames) > 100:
        stack += traceback.format_list(frames[:50])
        stack.append(f"  ... {len(frames) - 100} frames left out ...\n")
        frames = frames[-50:]
    stack += traceback.format_list(frames)


def _text(error):
    try:
        text = str(error)
    except Exception:
        text = "(its message cannot be shown)"
    if len(text) > TEXT_MAX:
        text = f"{text[:TEXT_MAX]}... ({len(text)} characters)"
    return text

"""Run Python functions on a Dure server.

    import dure

    def add(a, b):
        return a + b

    print(dure.submit(add, 1, 2).result())

The standard library only, Python 3.9 or newer. Finds the server through DURE_URL and DURE_TOKEN, else the one that runs on this machine.
"""

# What only the caller's side needs is imported where it is used: a function that starts on the server does not wait for it.
import builtins
import contextvars
import functools
import importlib
import io
import itertools
import json
import linecache
import marshal
import os
import pickle
import sys
import time
import types

__version__ = "0.1.0"
__all__ = ["Batch", "Cancelled", "Client", "DureError", "Function", "Invocation", "PackError", "Remote", "RemoteError",
           "connect", "context", "function", "map", "remote", "submit"]
_PYTHON = "%d.%d" % sys.version_info[:2]
_FINAL = ("SUCCESS", "FAILED", "CANCELLED", "UNKNOWN")
_DIGEST = "PACKED_DIGEST"  # an environment variable of each version that was deployed from here: what it was made of
_BATCH_BYTES, _BATCH_EVENTS = 8 << 20, 1000


class DureError(Exception):
    """What the server refused, or what went wrong with it. `id`: the problem's id, such as DURE0200; `status`: of the HTTP answer."""

    id = status = invocation = None


class PackError(DureError):
    """The function, its arguments or its result cannot be sent to another process."""


class Cancelled(DureError):
    """The invocation was cancelled."""


class RemoteError(DureError):
    """The function raised; this also is an instance of the exception's own type where that is known here. The message ends with the remote stack."""

    error_type, error_message, stack = None, "", ()

    def __str__(self):
        return str(self.args[0])


# ---- Packing. Functions and classes of scripts, notebooks and closures travel by value, all else by name.

_made = {}  # (module, qualified name) -> class that came by value


def _find(module, name):
    """The class that came here under this name, else the one that the module has."""
    if (module, name) in _made:
        return _made[module, name]
    return functools.reduce(getattr, name.split("."), sys.modules.get(module) or importlib.import_module(module))


class _Globals:
    """Stands for the global names of one module while functions are packed, so that they share them where they arrive."""

    def __init__(self, name):
        self.name = name


def _make_globals(name):
    return {"__builtins__": builtins, "__name__": name}


def _make_function(code, names, cells):
    return types.FunctionType(code, names, None, None, tuple(types.CellType() for _ in range(cells)))


def _fill_function(function, state):
    names, submodules, cells, attributes, source = state
    for submodule in submodules:
        importlib.import_module(submodule)
    function.__globals__.update(names)
    for cell, content in zip(function.__closure__ or (), cells):
        if content:
            cell.cell_contents = content[0]
    for name, value in attributes.items():
        setattr(function, name, value)
    if source:  # stacks show its lines
        file, (lines, first) = function.__code__.co_filename, source
        known = linecache.cache.get(file, (0, None, []))[2]
        known += [""] * (first - 1 + len(lines) - len(known))
        known[first - 1:first - 1 + len(lines)] = lines
        linecache.cache[file] = (1, None, known, file)


_CACHED = type(functools.lru_cache(len))
_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made by a class statement, not built in


def _make_read_only(names):
    return types.MappingProxyType(names)


def _make_cached(function, parameters):
    return functools.lru_cache(**parameters)(function)


def _make_class(meta, name, bases, module, qualname, first):
    def fill(names):
        for key, value in {"__module__": module, "__qualname__": qualname, **first}.items():
            names[key] = value
    made = _made[module, qualname] = types.new_class(name, bases, {"metaclass": meta}, fill)
    return made


def _fill_class(cls, attributes):
    for name, value in attributes.items():
        setattr(cls, name, value)
        if isinstance(value, functools.cached_property):
            value.__set_name__(cls, name)


class _Packer(pickle.Pickler):
    def __init__(self, file, known=()):
        super().__init__(file, protocol=5)
        self.classes, self.modules, self.globals, self.known = set(), set(), {}, known

    def reducer_override(self, obj):
        kind = type(obj)
        if kind is types.FunctionType or isinstance(obj, type):
            built_in = kind is not types.FunctionType and not obj.__flags__ & _HEAP_TYPE
            return NotImplemented if built_in or self._has_name(obj) else self._function(obj) if kind is types.FunctionType else self._class(obj)
        if kind is types.ModuleType:
            self.modules.add(obj.__name__)
            return importlib.import_module, (obj.__name__,)
        if kind is _Globals:
            return _make_globals, (obj.name,)
        if kind is types.CodeType:  # version 2 of the format is the same bytes every time
            obj = _without_kernel(obj)
            return marshal.loads, (marshal.dumps(obj, 2) if sys.version_info < (3, 14) else marshal.dumps(obj),)
        if kind in (property, staticmethod, classmethod):
            return kind, (obj.fget, obj.fset, obj.fdel, obj.__doc__) if kind is property else (obj.__func__,)
        if kind is functools.cached_property:
            return kind, (obj.func,)
        if kind is _CACHED:
            return NotImplemented if self._has_name(obj) else (_make_cached, (obj.__wrapped__, obj.cache_parameters()))
        if kind is types.MappingProxyType:
            return _make_read_only, (dict(obj),)
        if kind.__module__ == "dataclasses":  # its markers are compared by identity
            return next((name for name, value in vars(sys.modules["dataclasses"]).items() if value is obj), NotImplemented)
        return NotImplemented

    def _has_name(self, obj):
        module, found = obj.__module__, sys.modules.get(obj.__module__)
        for part in obj.__qualname__.split("."):
            found = getattr(found, part, None)
        named = found is obj and module not in ("__main__", "__mp_main__") and (module, obj.__qualname__) not in _made
        if named:
            self.modules.add(module)
        return named

    def _function(self, function):
        import dis
        import inspect
        used, names, attributes = [function.__code__], {}, set()
        for code in used:
            used += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
            attributes.update(code.co_names)
            names.update((i.argval, function.__globals__[i.argval]) for i in dis.get_instructions(code)
                         if i.opname in ("LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL") and i.argval in function.__globals__)
        submodules = sorted(loaded for module in names.values() if isinstance(module, types.ModuleType) for loaded in list(sys.modules)
                            if loaded.startswith(module.__name__ + ".") and attributes.issuperset(loaded[len(module.__name__) + 1:].split(".")))
        cells = []
        for cell in function.__closure__ or ():
            try:
                cells.append((cell.cell_contents,))
            except ValueError:  # it has no value yet
                cells.append(None)
        told = {name: getattr(function, name) for name in ("__name__", "__qualname__", "__module__", "__doc__", "__defaults__", "__kwdefaults__")}
        try:
            source = inspect.getsourcelines(function)
        except (OSError, TypeError, IndexError, SyntaxError):
            source = None
        shared = self.globals.setdefault(function.__module__, _Globals(function.__module__))
        state = {name: names[name] for name in sorted(names)}, submodules, cells, {**told, **function.__dict__}, source
        return _make_function, (function.__code__, shared, len(cells)), state, None, None, _fill_function

    def _class(self, cls):
        key, held = (cls.__module__, cls.__qualname__), dict(vars(cls))
        if key in self.known or _made.get(key) is cls:
            return _find, key
        self.classes.add(key)
        first = {"__slots__": held["__slots__"]} if "__slots__" in held else {}
        if "enum" in sys.modules and isinstance(cls, sys.modules["enum"].EnumMeta):
            first = {name: member.value for name, member in cls.__members__.items()}
            held = {name: value for name, value in held.items() if name[0] != "_" and isinstance(value, (types.FunctionType, property, classmethod, staticmethod))}
        left = ("__dict__", "__weakref__", "__module__", "__qualname__", "_abc_impl", "__slots__")
        held = {name: value for name, value in held.items() if name not in left and not isinstance(value, (types.MemberDescriptorType, types.GetSetDescriptorType))}
        return _make_class, (type(cls), cls.__name__, cls.__bases__, *key, first), held, None, None, _fill_class


def _without_kernel(code):
    """The code of a notebook's cell under a name that does not change with the kernel's process id."""
    before, kernel, after = code.co_filename.partition("ipykernel_")
    if not kernel:
        return code
    inner = tuple(_without_kernel(constant) if isinstance(constant, types.CodeType) else constant for constant in code.co_consts)
    return code.replace(co_filename="notebook/" + after.partition("/")[2], co_consts=inner)


def _pack(value, known=(), what="the value"):
    """(bytes, the packer, which knows the classes that travel in them and the modules that they name)."""
    def attempt(one):
        file = io.BytesIO()
        packer = _Packer(file, known)
        packer.dump(one)
        return file.getvalue(), packer
    try:
        return attempt(value)
    except (TypeError, ValueError, pickle.PicklingError, AttributeError, RecursionError) as error:
        import inspect
        closure = inspect.getclosurevars(value) if inspect.isfunction(value) else None
        for name, one in {**closure.globals, **closure.nonlocals}.items() if closure else ():
            try:
                attempt(one)
            except Exception as inner:
                raise PackError(f"{what} uses `{name}`, of type {type(one).__name__}, which cannot be sent to another process: {inner}") from None
        raise PackError(f"{what} cannot be sent to another process: {error}") from None


# ---- Inside the sandbox.

_context = contextvars.ContextVar("dure_context", default=None)


def context():
    """Inside a function on the server: its context (attempt, checkpoint_dir, step(name, fn), ...). Elsewhere None."""
    return _context.get()


def _serve(python, beside):
    """The handler of the packed function that lies beside this file, made by this version of Python."""
    if python != _PYTHON:
        raise RuntimeError(f"this function was packed by Python {python}, but functions run in Python {_PYTHON} here: submit it from Python {_PYTHON}")
    with open(os.path.join(os.path.dirname(beside), "packed.pickle"), "rb") as file:
        function = pickle.load(file)

    def handler(event, context):
        _context.set(context)
        call = json.loads(event) if event[:1] == b"{" else {"pickle": event} if event else {}
        if "pickle" not in call:  # from elsewhere: JSON in, JSON out
            return function(*call.get("args", ()), **call.get("kwargs", {}))
        if isinstance(call["pickle"], str):
            import base64
            call["pickle"] = base64.b64decode(call["pickle"])
        args, kwargs = pickle.loads(call["pickle"])
        result = function(*args, **kwargs)
        return _later(result) if hasattr(result, "__await__") else _answer(result)
    return handler


async def _later(result):
    return _answer(await result)


def _answer(result):
    return _pack(list(result) if isinstance(result, types.GeneratorType) else result, what="the result")[0]


# ---- The server.


def _broken():
    """What is raised when a connection fails or breaks."""
    import http.client
    return OSError, http.client.HTTPException


def _server(url=None, token=None):
    """(address, token) of the server that is named, else of the one that runs on this machine."""
    url, token, problem = url or os.environ.get("DURE_URL"), token or os.environ.get("DURE_TOKEN"), None
    home = os.path.join(os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share"), "dure")
    for folder in [os.environ["DURE_DATA"]] if os.environ.get("DURE_DATA") else [home, "/var/lib/dure"] if os.geteuid() else ["/var/lib/dure"]:
        try:
            if not url:
                with open(os.path.join(folder, "run", "server.json")) as file:
                    url = json.load(file)["url"]
            if not token:
                with open(os.path.join(folder, "keys", "owner.token")) as file:
                    token = file.read().strip()
        except OSError as error:
            problem = error
    if not url or not token:
        raise DureError(f"no server was found ({problem}): start one with `dure up`, or set DURE_URL and DURE_TOKEN")
    return url.rstrip("/"), token


class Client:
    """A server and how to sign in there. What may safely be repeated is repeated for `patience` seconds: a server may restart."""

    def __init__(self, url=None, token=None, patience=60):
        import urllib.request
        self._given, self.patience, self.deployed = (url, token), patience, {}
        self.url, self.token = _server(url, token)
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def open(self, method, path, body=None, timeout=60, **headers):
        """Sends one request; the answer is still to be read. DureError for what the server refuses."""
        import urllib.error
        import urllib.request
        headers = {"Authorization": f"Bearer {self.token}", **{name.replace("_", "-"): value for name, value in headers.items()}}
        try:
            return self._opener.open(urllib.request.Request(self.url + path, body, headers, method=method), timeout=timeout)
        except urllib.error.HTTPError as refused:
            with refused:
                text, status = refused.read(), refused.code
        try:
            problem = json.loads(text)
        except ValueError:
            problem = {"title": f"{method} {path} was refused with {status}", "detail": text[:300].decode(errors="replace")}
        raise _problem(problem, status)

    def again(self, call):
        """Calls until no connection breaks; gives up after `patience` seconds."""
        until, pause = time.monotonic() + self.patience, 0.05
        while True:
            try:
                return call()
            except (*_broken(), DureError) as error:
                if isinstance(error, DureError) and error.status not in (429, 503):
                    raise
                if time.monotonic() + pause > until:
                    raise error if isinstance(error, DureError) else DureError(f"{self.url} cannot be reached: {error}") from error
            time.sleep(pause)
            pause = min(2, pause * 2)
            if not self._given[0]:
                self.url, self.token = _server(*self._given)

    def ask(self, method, path, body=None, **headers):
        """(body, headers) of the answer to a request that may be repeated."""
        def once():
            with self.open(method, path, body, **headers) as answer:
                return answer.read(), answer.headers
        return self.again(once)

    def json(self, method, path, body=None, **headers):
        return json.loads(self.ask(method, path, body, **headers)[0])

    def version_of(self, name, digest):
        """The version that was deployed from exactly this before; None when there is none."""
        try:
            items = self.json("GET", f"/api/functions/{name}/versions")["items"]
        except DureError as error:
            if error.status != 404:
                raise
            return None
        return next((item["version"] for item in items if item["spec"].get("environment", {}).get(_DIGEST) == digest), None)

    def deploy(self, name, files):
        """Deploys a folder's files (path -> bytes): the version's digest."""
        import gzip
        import tarfile
        archive = io.BytesIO()
        with gzip.GzipFile(fileobj=archive, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
            for path, data in sorted(files.items()):
                entry = tarfile.TarInfo(path)
                entry.size, entry.mode = len(data), 0o644
                tar.addfile(entry, io.BytesIO(data))
        said, headers = [], {"Content_Type": "application/gzip", "timeout": None}
        with self.again(lambda: self.open("POST", f"/api/functions/{name}/versions", archive.getvalue(), **headers)) as answer:
            for line in answer:
                said.append(json.loads(line))
                if "progress" in said[-1] and sys.stderr.isatty():
                    print(f"dure: {name}: {said[-1]['progress']}", file=sys.stderr)
        if said and "version" in said[-1]:
            return said[-1]["version"]["version"]
        log = "".join(f"\n  {line['log']}" for line in said if "log" in line)
        cut = {"title": f"The deployment of {name} was cut", "detail": "the server closed the connection before it was done."}
        error = _problem(said[-1].get("problem", cut) if said else cut, None)
        error.args = (f"{error}{log}",)
        raise error


def _problem(problem, status):
    faults = "".join(f"\n  {fault.get('where')}: {fault.get('what')}" for fault in problem.get("faults") or ())
    error = DureError(f"{problem.get('title')}: {problem.get('detail', '')}{faults} {problem.get('remedy') or ''}".rstrip())
    error.id, error.status, error.invocation = problem.get("id"), status, problem.get("invocation")
    return error


class Invocation:
    """One request to run a function. It goes on whether or not anybody waits; `id` finds it again: dure.Invocation(id)."""

    def __init__(self, id, client=None, packed=False, names=None):
        self.id, self._client, self._packed, self._names, self._view = id, client or connect(), packed, names or {}, {}

    def __repr__(self):
        return f"<dure invocation {self.id} {self._view.get('state', '')}>"

    def view(self):
        """All that the server says of it, as GET /api/invocations/ID does."""
        self._view = self._client.json("GET", f"/api/invocations/{self.id}")
        return self._view

    def status(self):
        """PENDING, PROCESSING, SUCCESS, FAILED, CANCELLED or UNKNOWN."""
        return self.view()["state"]

    attempts = property(lambda self: self.view().get("attempts", []), doc="Every try so far: worker, start, end, outcome, reason, may_have_run.")

    def wait(self, timeout=None):
        """Waits for its end, however long that takes: its final state. TimeoutError after `timeout` seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        while self._view.get("state") not in _FINAL and self.status() not in _FINAL:
            left = 40 if until is None else min(40, until - time.monotonic())
            if left <= 0:
                raise TimeoutError(f"{self.id} is {self._view['state']} after {timeout} s")
            try:  # the stream says something every 15 s; who hears nothing asks again
                with self._client.open("GET", f"/api/invocations/{self.id}/events", timeout=left) as events:
                    next((line for line in events if line.startswith(b"event: end") or until and time.monotonic() > until), None)
            except _broken():
                time.sleep(0.02)
        return self._view["state"]

    def result(self, timeout=None):
        """Waits, then returns what the function returned. RemoteError (also of the exception's own type), Cancelled, TimeoutError."""
        if self.wait(timeout) != "SUCCESS":
            raise _failure(self._view, self._names)
        body, headers = self._client.ask("GET", f"/api/invocations/{self.id}/result")
        return _read(body, headers, self._packed)

    def logs(self, follow=False):
        """What it printed, as one text; with follow=True an iterator of lines that ends with the invocation."""
        lines = self._lines(f"/api/invocations/{self.id}/logs" + ("?follow=true" if follow else ""))
        texts = (line.rstrip("\n").split(" ", 3)[-1] for line in lines)  # time, attempt, stream, text
        return texts if follow else "".join(text + "\n" for text in texts)

    def _lines(self, path):
        told = 0
        while True:
            try:
                for line in itertools.islice(self._client.again(lambda: self._client.open("GET", path, timeout=None)), told, None):
                    told += 1
                    yield line.decode(errors="replace")
                return
            except _broken():
                time.sleep(0.02)

    def cancel(self):
        """Asks it to stop: TERM, later KILL. False when it had already ended."""
        try:
            return bool(self._client.ask("POST", f"/api/invocations/{self.id}/cancel"))
        except DureError as error:
            if error.status != 409:
                raise
            return False


def _read(body, headers, packed):
    if packed:
        return pickle.loads(body)
    return json.loads(body) if (headers.get("Content-Type") or "").startswith("application/json") else body


def _failure(view, names):
    """The exception for an invocation that did not succeed. `names`: where exception types of the caller's own may be."""
    told, reason = view.get("error") or {}, view.get("reason") or f"it ended {view.get('state', 'without success')}"
    if view.get("state") == "CANCELLED":
        return Cancelled(reason)
    if not told:
        return DureError(f"{view.get('function', 'the function')}: {reason}")
    name, stack = told.get("error_type") or "Error", [frame for frame in told.get("stack_trace") or () if '/code/dure.py"' not in frame]
    own = names.get(name, getattr(builtins, name, None))
    bases = (RemoteError, own) if isinstance(own, type) and issubclass(own, Exception) else (RemoteError,)
    trace = "\n\nRemote stack:\n" + "".join(stack) if stack else ""
    error = type(name, bases, {"__init__": lambda self, text: None, "__module__": "dure"})(f"{told.get('error_message') or reason}{trace}")
    error.error_type, error.error_message, error.stack = name, told.get("error_message"), stack
    return error


class Batch:
    """Invocations of one function. Iterating gives their results in order; `as_completed()` gives (index, invocation) as they end."""

    def __init__(self, invocations, client, name):
        self.invocations, self._client, self._name = invocations, client, name

    def __len__(self):
        return len(self.invocations)

    def __iter__(self):
        ended, ending = set(), self.as_completed()
        for index, one in enumerate(self.invocations):
            while index not in ended:
                ended.add(next(ending)[0])
            yield one.result()

    def as_completed(self):
        left, pause = {one.id: (index, one) for index, one in enumerate(self.invocations)}, 0.01
        while left:
            before, cursor, since = len(left), "", _made_at(min(left))
            while cursor is not None:
                page = self._client.json("GET", f"/api/invocations?function={self._name}&limit=1000&since={since}{cursor}")
                for view in page["items"]:
                    if view["id"] in left and view["state"] in _FINAL:
                        index, one = left.pop(view["id"])
                        one._view = view
                        yield index, one
                cursor = f"&cursor={page['next']}" if page.get("next") else None
            pause = 0.01 if len(left) < before else min(1, pause * 1.5)
            time.sleep(pause if left else 0)

    def cancel(self):
        for one in self.invocations:
            one.cancel()


def _made_at(id):
    """When an invocation was made: its id begins with 44 bits of milliseconds, in Crockford's base 32."""
    import datetime
    number = functools.reduce(lambda so_far, digit: so_far << 5 | "0123456789abcdefghjkmnpqrstvwxyz".index(digit), id, 0)
    return datetime.datetime.fromtimestamp((number >> 21) / 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Function:
    """A deployed function, whatever its language. Events are JSON, or bytes as they are; so are results."""

    def __init__(self, name, client=None, version=None):
        self.name, self._client = name, client or connect()
        self._query = f"?version={version}" if version else ""

    def invoke(self, event=None):
        """Calls it and waits, however long it takes."""
        try:
            with self._client.open("POST", self._path(), _bytes(event), timeout=None, Content_Type="application/json") as answer:
                return _read(answer.read(), answer.headers, False)
        except DureError as error:
            if error.invocation is None:
                raise
            return Invocation(error.invocation, self._client).result()

    def submit(self, event=None, key=None):
        """Starts it: an Invocation. `key`: the same key, function and event give the same invocation."""
        return self._submit(_bytes(event), key)

    def map(self, events):
        """Starts it once for each event: a Batch."""
        return self._batch(json.dumps(event).encode() for event in events)

    def _submit(self, body, key=None, **invocation):
        import uuid
        answer = self._client.json("POST", self._path(), body, Prefer="respond-async", Idempotency_Key=key or uuid.uuid4().hex,
                                   Content_Type="application/octet-stream")
        return Invocation(answer["id"], self._client, **invocation)

    def _batch(self, lines, **invocation):
        ids, held, size = [], [], 0
        for line in itertools.chain(lines, [None]):
            if held and (line is None or len(held) == _BATCH_EVENTS or size + len(line) > _BATCH_BYTES):
                with self._client.open("POST", self._path("/batch"), b"\n".join(held), Content_Type="application/x-ndjson") as answer:
                    ids += json.load(answer)["ids"]
                held, size = [], 0
            if line is not None:
                held.append(line)
                size += len(line)
        return Batch([Invocation(id, self._client, **invocation) for id in ids], self._client, self.name)

    def _path(self, below=""):
        return f"/api/functions/{self.name}/invocations{below}{self._query}"


class Remote:
    """A Python function that can run on the server. Called as usual it runs here."""

    def __init__(self, fn, name=None, requirements=None, include=(), **settings):
        functools.update_wrapper(self, fn)
        self._fn, self._name, self._requirements, self._include, self._settings = fn, name, requirements, tuple(include), settings

    def __call__(self, *args, **kwargs):
        return self._fn(*args, **kwargs)

    @property
    def name(self):
        """The function's name on the server."""
        return self._name or _slug(f"{_origin(self._fn)}-{self._fn.__qualname__}")

    def submit(self, *args, **kwargs):
        """Starts it on the server: an Invocation."""
        function, classes = self.deploy()
        return function._submit(_pack((args, kwargs), classes, "an argument")[0], packed=True, names=self._fn.__globals__)

    def map(self, iterable):
        """Starts it once for each item: a Batch."""
        import base64
        function, classes = self.deploy()
        lines = (base64.b64encode(_pack(((item,), {}), classes, "an item")[0]) for item in iterable)
        return function._batch((b'{"pickle":"' + line + b'"}' for line in lines), packed=True, names=self._fn.__globals__)

    def deploy(self):
        """Deploys it where the server does not have exactly this yet: (Function, classes that travel with it)."""
        import hashlib
        files, classes = self._files()
        settings = {"runtime": "python", "handler": "handler.handler", **self._settings}
        files["function.yaml"] = json.dumps(settings, sort_keys=True).encode()  # JSON is YAML
        digest = hashlib.sha256(repr(sorted((path, hashlib.sha256(data).digest()) for path, data in files.items())).encode()).hexdigest()
        client, key = connect(), (self.name, digest)
        if key not in client.deployed:
            settings["environment"] = {**settings.get("environment", {}), _DIGEST: digest}
            files["function.yaml"] = json.dumps(settings, sort_keys=True).encode()
            client.deployed[key] = client.version_of(self.name, digest) or client.deploy(self.name, files)
        return Function(self.name, client, client.deployed[key]), classes

    def _files(self):
        packed, packer = _pack(self._fn, what=self._fn.__qualname__)
        files = {
            "packed.pickle": packed,
            "handler.py": f"import dure\n\nraw = True\nhandler = dure._serve({_PYTHON!r}, __file__)\n".encode(),
        }
        if self._requirements:
            if isinstance(self._requirements, str):
                with open(self._requirements, "rb") as file:
                    files["requirements.txt"] = file.read()
            else:
                files["requirements.txt"] = "".join(line + "\n" for line in self._requirements).encode()
        for path, source in {**_project_modules(packer.modules), **_included(self._include)}.items():
            with open(source, "rb") as file:
                files[path] = file.read()
        with open(__file__, "rb") as file:
            files["dure.py"] = file.read()
        return files, packer.classes


def _origin(fn):
    """What a function's name begins with: the script, `notebook`, or its module."""
    if fn.__module__ != "__main__":
        return fn.__module__
    script = getattr(sys.modules["__main__"], "__file__", None)
    return os.path.splitext(os.path.basename(script))[0] if script and os.path.isfile(script) else "notebook"


def _slug(text):
    import re
    return re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")[:63].strip("-")


def _project_modules(used):
    """The caller's own modules (path in the package -> file), all that are loaded, once one of them is used."""
    import sysconfig
    installed = tuple(os.path.realpath(path) + os.sep for path in sysconfig.get_paths().values())
    own = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        where = os.path.realpath(file)
        if name in ("__main__", "__mp_main__", "dure") or not file.endswith(".py") or where.startswith(installed) or "-packages" + os.sep in where:
            continue
        own[name] = (name.replace(".", "/") + ("/__init__.py" if os.path.basename(file) == "__init__.py" else ".py"), file)
    return dict(own.values()) if own.keys() & used else {}


def _included(paths):
    files = {}
    for path in paths:
        if os.path.relpath(path).startswith(".."):
            raise PackError(f"include: {path} does not lie below {os.getcwd()}")
        found = [os.path.join(folder, file) for folder, _, names in os.walk(path) for file in names if "__pycache__" not in folder]
        files.update((os.path.relpath(file), file) for file in (found if os.path.isdir(path) else [path]))
    return files


def _bytes(event):
    return bytes(event) if isinstance(event, (bytes, bytearray, memoryview)) else json.dumps(event).encode()


_default = None


def connect(url=None, token=None):
    """The server that everything here uses: the one that is named, once and for all, or the one that is found."""
    global _default
    if url or token or _default is None:
        _default = Client(url, token)
    return _default


def function(name, version=None):
    """A function that is deployed already: dure.function("resize").invoke({"width": 100})."""
    return Function(name, version=version)


def remote(fn=None, **options):
    """Decorator: @dure.remote, or @dure.remote(memory="1GiB", gpu=1, requirements=["numpy"], include=["data.csv"], name="train").

    Further options are those of function.yaml: cpu, timeout, environment, secrets, network, retries, at_most_once, durability, ...
    """
    return Remote(fn, **options) if fn is not None else lambda fn: Remote(fn, **options)


def submit(fn, *args, **kwargs):
    """Starts fn(*args, **kwargs) on the server: an Invocation."""
    return (fn if isinstance(fn, Remote) else Remote(fn)).submit(*args, **kwargs)


def map(fn, iterable):
    """Starts fn(item) on the server for each item: a Batch, whose iteration gives the results in order."""
    return (fn if isinstance(fn, Remote) else Remote(fn)).map(iterable)

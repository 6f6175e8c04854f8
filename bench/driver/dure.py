"""Dure as a contender: started on an empty folder, functions deployed and invoked over its HTTP API only."""

import io
import json
import os
import tarfile
import time
import urllib.error
import urllib.request

from processes import Group, Scope, free_port, run

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def command():
    """The program: DURE_BIN, or the launcher at the top of the repository; None when neither is there."""
    named = os.environ.get("DURE_BIN")
    launcher = os.path.join(os.path.dirname(HERE), "dure")
    return named or (launcher if os.access(launcher, os.X_OK) else None)


def program():
    """The program itself, as it lies on a machine that it was installed on: the launcher looks at all sources first and builds what has changed."""
    named = command()
    built = os.path.join(os.path.dirname(HERE), "artifacts", "dure")
    if os.environ.get("DURE_BIN"):
        return os.path.abspath(named)
    run([named, "--version"], timeout=900)
    with open(os.path.join(built, "dotnet-root")) as root:
        os.environ["DOTNET_ROOT"] = root.read().strip()
    return os.path.join(built, "dure")


class Dure:
    """One running server with its own data folder."""

    def __init__(self, tools, folder, logs):
        self.tools, self.data = tools, folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        start = time.monotonic()
        self.scope = Scope(tools, f"dure-{self.port}", [
            command(), "up", "--data", folder, "--port", str(self.port), "--set", "store.port=0", "--set", "apps.port=0", "--foreground", "--yes"], logs, grace_ms=10000)
        self._wait_until_healthy()
        self.start_ms = (time.monotonic() - start) * 1000
        with open(os.path.join(folder, "keys", "owner.token")) as token:
            self.token = token.read().strip()
        self.group = Group(self.scope)
        self._wait_for_worker()

    def _wait_until_healthy(self):
        until = time.monotonic() + 180
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"{self.url}/api/health", timeout=5):
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.005)
            if self.scope.process.poll() is not None:
                break
        raise RuntimeError(f"dure did not become healthy:\n{self.scope.tail(40)}")

    def _wait_for_worker(self):
        until = time.monotonic() + 60
        while not any(worker["state"] == "connected" for worker in json.loads(self.ask("GET", "/api/status"))["workers"]):
            if time.monotonic() > until:
                raise RuntimeError(f"no worker is connected:\n{self.scope.tail(40)}")
            time.sleep(0.05)

    def stop(self):
        self.scope.stop()

    def ask(self, method, path, body=None, **headers):
        request = urllib.request.Request(self.url + path, body, {
            "Authorization": f"Bearer {self.token}", **{name.replace("_", "-"): value for name, value in headers.items()}}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=300) as response:
                return response.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path} answered {error.code}: {error.read()[:600]!r}") from None

    def deploy(self, name, folder, **changed):
        """Deploys a folder of functions/; `changed`: file name with _ for its dot -> text to put after what it holds. The digest."""
        files = {file: open(os.path.join(HERE, "functions", folder, file)).read() for file in os.listdir(os.path.join(HERE, "functions", folder))}
        for file, text in changed.items():
            file = file.replace("_", ".")
            files[file] = files.get(file, "") + text
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            for file, text in files.items():
                entry = tarfile.TarInfo(file)
                entry.size, entry.mode = len(text.encode()), 0o644
                tar.addfile(entry, io.BytesIO(text.encode()))
        said = self.ask("POST", f"/api/functions/{name}/versions", packed.getvalue(), Content_Type="application/gzip")
        last = json.loads(said.decode().strip().splitlines()[-1])
        if "version" not in last:
            raise RuntimeError(f"{name} was not deployed: {last}")
        return last["version"]["version"]

    def invocations(self, name):
        return f"{self.url}/api/functions/{name}/invocations"

    def load(self, mode, *words, prefer, stdin=None):
        """Runs native/load against this server: what it measured, and its CPU time in microseconds."""
        said, cpu_us = run([
            os.path.join(self.tools, "load"), mode, "-a", f"127.0.0.1:{self.port}", "-H", f"Authorization: Bearer {self.token}",
            "-H", "Content-Type: application/json", "-H", f"Prefer: {prefer}", *map(str, words)], input=stdin)
        return json.loads(said), cpu_us

    def each(self, name, versions, pause_ms):
        """Invokes each version once, the next one PAUSE_MS after the last: microseconds of each call."""
        paths = "".join(f"/api/functions/{name}/invocations?version={version}\n" for version in versions)
        return self.load("each", "-i", pause_ms, prefer="wait", stdin=paths)[0]

    def were_cold(self, name):
        """Whether every invocation of this function was the first of its process."""
        listed = json.loads(self.ask("GET", f"/api/invocations?function={name}&limit=1000"))["items"]
        views = [json.loads(self.ask("GET", f"/api/invocations/{item['id']}")) for item in listed]
        return all(attempt["cold"] for view in views for attempt in view["attempts"])


class DureQueue:
    """One function of a running server, driven asynchronously."""

    def __init__(self, dure, name):
        self.dure, self.name, self.group = dure, name, dure.group

    def drain(self, jobs, batch):
        path, status = f"/api/functions/{self.name}/invocations", f"/api/functions/{self.name}"
        connections, path = (64, path) if batch == 1 else (4, path + "/batch")
        result = self.dure.load("drain", "-p", path, "-n", jobs, "-c", connections, "-k", batch, "-w", status, prefer="respond-async")
        return result

    def paced(self, rate, seconds):
        path = f"/api/functions/{self.name}"
        return self.dure.load("paced", "-p", path + "/invocations", "-e", path + "/events", "-r", rate, "-s", seconds, prefer="respond-async")

"""How each peer is started, with the settings that suit it best, and where its no-op is."""

import json
import os
import shutil
import urllib.request

from processes import Group, Scope, free_port, run, wait_for_port

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PEERS = os.path.join(HERE, "peers")
BIN = os.path.join(HERE, "node_modules", ".bin")
ENV = {"NODE_ENV": "production"}


class Peers:
    """Starts peers on demand, in one folder, and stops all of them."""

    def __init__(self, tools, folder, logs):
        self.tools, self.folder, self.logs = tools, folder, logs
        self.scopes = []

    def scope(self, name, command, **options):
        scope = Scope(self.tools, name, command, self.logs, **options)
        self.scopes.append(scope)
        return scope

    def stop(self):
        for scope in reversed(self.scopes):
            scope.stop()
        self.scopes.clear()

    def functions_framework(self):
        port = free_port()
        scope = self.scope("functions-framework", [
            os.path.join(BIN, "functions-framework"), "--target=noop", f"--source={PEERS}/http-function.cjs", f"--port={port}"], env=ENV)
        wait_for_port(port, scope)
        return Group(scope), f"http://127.0.0.1:{port}/"

    def workerd(self):
        port = free_port()
        scope = self.scope("workerd", [
            os.path.join(BIN, "workerd"), "serve", os.path.join(PEERS, "workerd.capnp"), "--socket-addr", f"http=127.0.0.1:{port}"])
        wait_for_port(port, scope)
        return Group(scope), f"http://127.0.0.1:{port}/"

    def restate(self):
        ingress, admin, fabric, service = (free_port() for _ in range(4))
        server = self.scope("restate-server", [os.path.join(BIN, "restate-server"), "--no-logo"], env={
            "RESTATE_BASE_DIR": os.path.join(self.folder, "restate"), "RESTATE_BIND_IP": "127.0.0.1", "RESTATE_LISTEN_MODE": "tcp",
            "RESTATE_BIND_PORT": str(fabric), "RESTATE_INGRESS__BIND_PORT": str(ingress), "RESTATE_ADMIN__BIND_PORT": str(admin),
            "RESTATE_NODE_NAME": "bench", "RESTATE_DISABLE_TELEMETRY": "true", "RESTATE_LOG_FILTER": "warn"})
        handler = self.scope("restate-handler", ["node", os.path.join(PEERS, "restate-noop.mjs")],
                             env={**ENV, "PORT": str(service), "RESTATE_LOGGING": "ERROR"})
        for port, scope in ((admin, server), (ingress, server), (service, handler)):
            wait_for_port(port, scope)
        _post(f"http://127.0.0.1:{admin}/deployments", {"uri": f"http://127.0.0.1:{service}"})
        return Group(server, handler), f"http://127.0.0.1:{ingress}/bench/noop"

    def redis(self, fsync):
        """A redis-server with an append-only file; `fsync` is its appendfsync."""
        port = free_port()
        folder = os.path.join(self.folder, f"redis-{fsync}-{port}")
        os.makedirs(folder)
        scope = self.scope(f"redis-{fsync}-{port}", [
            "redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", folder, "--save", "",
            "--appendonly", "yes", "--appendfsync", fsync, "--loglevel", "warning"])
        wait_for_port(port, scope)
        return scope, port

    def bullmq(self, fsync):
        redis, port = self.redis(fsync)
        env = {**ENV, "REDIS_PORT": str(port)}
        worker = self.scope(f"bullmq-{fsync}", ["node", os.path.join(PEERS, "bullmq-worker.mjs")], env=env, ready="ready")
        client = ["node", os.path.join(PEERS, "bullmq-client.mjs")]
        return Queue(Group(redis, worker), client, env)

    def graphile(self):
        tools = sorted(os.listdir("/usr/lib/postgresql"), key=int)[-1]
        programs = f"/usr/lib/postgresql/{tools}/bin"
        folder = os.path.join(self.folder, "postgres")
        os.makedirs(folder)
        drop = []
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
            drop = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        run([*drop, f"{programs}/initdb", "-D", f"{folder}/data", "-U", "bench", "-A", "trust", "--no-instructions"], cwd="/")
        port = free_port()
        postgres = self.scope("postgres", [
            *drop, f"{programs}/postgres", "-D", f"{folder}/data", "-k", folder, "-p", str(port), "-c", "listen_addresses=127.0.0.1",
            "-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB"], cwd="/", ready="ready to accept connections")
        env = {**ENV, "DATABASE_URL": f"postgres://bench@127.0.0.1:{port}/postgres"}
        start = lambda: self.scope("graphile-worker", ["node", os.path.join(PEERS, "graphile-worker.mjs")], env=env, ready="ready")
        client = ["node", os.path.join(PEERS, "graphile-client.mjs")]
        return Queue(Group(postgres, start()), client, env, restart=start)

    def celery(self):
        redis, port = self.redis("always")
        env = {"BROKER": f"redis://127.0.0.1:{port}/0", "PYTHONPATH": PEERS, "PYTHONDONTWRITEBYTECODE": "1"}
        worker = self.scope("celery", [
            "/usr/bin/python3", "-m", "celery", "-A", "celery_noop", "worker", "-c", str(os.cpu_count()), "-l", "INFO",
            "--without-gossip", "--without-mingle", "--without-heartbeat"], env={**env, "C_FORCE_ROOT": "1"}, cwd=self.folder, ready="ready.")
        return Queue(Group(redis, worker), ["/usr/bin/python3", os.path.join(PEERS, "celery_client.py")], env)


class Queue:
    """A peer's queue: what runs it, and the client that enqueues and waits."""

    def __init__(self, group, client, env, restart=None):
        self.group, self.client, self.env, self.restart = group, client, env, restart

    def ask(self, *words):
        """Runs the client: what it measured, and its own CPU time in microseconds."""
        said, cpu_us = run([*self.client, *map(str, words)], env={**os.environ, **self.env})
        return json.loads(said.splitlines()[-1]), cpu_us

    def drain(self, count, batch):
        return self.ask("drain", count, batch)

    def paced(self, rate, seconds):
        """Its worker rests when the client brings one of its own (graphile), and comes back afterwards."""
        if self.restart is None:
            return self.ask("paced", rate, seconds)
        database, worker = self.group.scopes
        worker.stop()
        try:
            return self.ask("paced", rate, seconds)
        finally:
            self.group = Group(database, self.restart())


def _post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return response.read()

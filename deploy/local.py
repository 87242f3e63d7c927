"""A whole mesh on this machine: global, zones, Envoys and echo servers on loopback.

The demo, the scenarios of tests/multizone and the benchmarks are written with it. Every
port is the kernel's choice, every file lies in one temporary folder, and what was started
is ended by its process id when the `with` block is left.
"""
import asyncio
import contextlib
import http.client
import json
import math
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


# What the sanitizers of the asan and tsan presets write when they have found something.
REPORTS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:",
           "WARNING: ThreadSanitizer", "Assertion `")


def is_of_nng(report):
    """True for a race of nng with itself: it is not instrumented, so its atomic counters
    order nothing in the eyes of the sanitizer."""
    callers = re.findall(r"^ +#1 .*$", report, re.MULTILINE)[:2]
    return "data race" in report and len(callers) == 2 and all(
        "libnng.so" in caller for caller in callers)


class Failure(Exception):
    """Something did not happen that should have."""


def wait_for(what, condition, seconds=60.0):
    """Poll condition until it is true and return its value; Failure names what. Unless a
    promise is measured, seconds are patience: slow machines run several of us at a time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f"not within {seconds:g} s: {what}")
        time.sleep(0.005)


def find_envoy():
    """Path of the Envoy to use, or None: .envoy/ of the checkout, else PATH."""
    own = os.path.join(ROOT, ".envoy", "envoy")
    return own if os.access(own, os.X_OK) else shutil.which("envoy")


def programs(preset):
    """The folder of the programs: that of a preset, or ZL_PROGRAMS."""
    return os.environ.get("ZL_PROGRAMS", os.path.join(ROOT, "build", preset, "bin"))


_PORTS = []


def free_port():
    """A port of 127.0.0.1 that nobody listens on, given out once on this machine while
    we run: two Envoys may listen on one port and would share its connections. It lies
    below those that the kernel gives to who connects: such a port may be taken before its
    server is up."""
    while True:
        port = random.randrange(15000, 32000)
        ours = socket.socket(socket.AF_UNIX)  # a name that ends with us
        with socket.socket() as probe, contextlib.suppress(OSError):
            ours.bind(f"\0zonelink-port-{port}")
            probe.bind(("127.0.0.1", port))
            _PORTS.append(ours)
            return port
        ours.close()


def private(path, flags):
    """For open: a file that nobody else can read."""
    return os.open(path, flags, 0o600)


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path, timeout=30):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def connect(address, timeout=30):
    """An HTTP connection to HOST:PORT or unix:PATH."""
    if address.startswith("unix:"):
        return UnixConnection(address[5:], timeout)
    host, port = address.rsplit(":", 1)
    return http.client.HTTPConnection(host, int(port), timeout=timeout)


def request(address, method, path, body=None, headers=None, connection=None):
    """One request; (status, parsed JSON or text)."""
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
    link = connection or connect(address)
    try:
        link.request(method, path, body=body, headers=headers or {})
        answer = link.getresponse()
        text = answer.read().decode()
    finally:
        if connection is None:
            link.close()
    try:
        return answer.status, json.loads(text) if text else None
    except json.JSONDecodeError:
        return answer.status, text


class EchoServers:
    """TCP servers that greet each connection with their name and echo what comes."""

    def __init__(self):
        self.servers = {}
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    async def _serve(self, name, reader, writer):
        try:
            writer.write(name.encode() + b"\n")
            while data := await reader.read(4096):
                writer.write(data)
        except (ConnectionError, OSError):
            pass
        finally:
            writer.close()

    def start(self, name, port=0):
        """Start a server on a free port of loopback, or on this one; its port."""

        async def begin():
            return await asyncio.start_server(
                lambda r, w: self._serve(name, r, w), "127.0.0.1", port, backlog=1024)

        server = asyncio.run_coroutine_threadsafe(begin(), self.loop).result()
        port = server.sockets[0].getsockname()[1]
        self.servers[port] = server
        return port

    def refuse(self, port):
        """The server of a port takes no more connections; those that are open stay."""

        async def close():
            self.servers.pop(port).close()

        asyncio.run_coroutine_threadsafe(close(), self.loop).result()


def greet(address, port, timeout=5.0):
    """Connect once; the server's name, or "" if the connection was closed or refused."""
    try:
        with socket.create_connection((address, port), timeout) as link:
            link.sendall(b"x")
            data = b""
            while b"\n" not in data:
                part = link.recv(256)
                if not part:
                    return ""
                data += part
            return data.split(b"\n")[0].decode()
    except OSError:
        return ""


def count_greetings(port, connections, address="127.0.0.1", workers=8):
    """Who answered, over so many connections: {name: count}; "" counts the closed."""
    counts, lock = {}, threading.Lock()

    def work(share):
        own = {}
        for _ in range(share):
            name = greet(address, port)
            own[name] = own.get(name, 0) + 1
        with lock:
            for name, count in own.items():
                counts[name] = counts.get(name, 0) + count

    shares = [connections // workers + (i < connections % workers) for i in range(workers)]
    threads = [threading.Thread(target=work, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return counts


def inside_binomial(observed, total, share, z=3.2905):
    """True if observed of total fits a chance of share; z = 3.29 is the 99.9 % interval."""
    mean = total * share
    spread = z * math.sqrt(total * share * (1 - share))
    return abs(observed - mean) <= spread + 0.5


def misses(counts, total, shares):
    """The names whose count does not fit their share."""
    return [name for name, share in shares.items()
            if not inside_binomial(counts.get(name, 0), total, share)]


class Process:
    """One program that was started, with its log file."""

    def __init__(self, argv, log, env=None):
        self.argv, self.log = argv, log
        with open(log, "ab") as out:
            self.child = subprocess.Popen(argv, stdout=out, stderr=subprocess.STDOUT,
                                          stdin=subprocess.DEVNULL, env=env)

    def alive(self):
        """True while it runs."""
        return self.child.poll() is None

    def end(self, how=signal.SIGTERM, seconds=10):
        """Send a signal and wait for the end; killed if it does not obey."""
        if self.alive():
            self.child.send_signal(how)
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.child.kill()
            return self.child.wait(seconds)

    def tail(self, lines=20):
        """The last lines of its log."""
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-lines:])


class Daemon:
    """A zonelink-global or zonelink-zone: started, killed and started again in place."""

    def __init__(self, mesh, program, name, settings):
        self.mesh, self.program, self.name = mesh, program, name
        self.settings = dict(settings)
        self.ready, self.process = {}, None

    def start(self, wait=True):
        """Start it and read its ready file."""
        path = self.mesh.path(f"{self.name}.ready")
        if os.path.exists(path):
            os.unlink(path)
        argv = [os.path.join(self.mesh.bin, self.program), "--ready-file", path]
        for key, value in self.settings.items():
            argv += ["--set", f"{key}={value}"]
        self.process = Process(argv, self.mesh.path(f"{self.name}.log"),
                               {"TSAN_OPTIONS": "exitcode=0", **os.environ})
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        """Wait until it is ready; keep its ports over restarts, as a service would."""
        path = self.mesh.path(f"{self.name}.ready")
        wait_for(f"{self.name} is ready", lambda: self._ready_or_dead(path))
        with open(path, encoding="utf-8") as file:
            self.ready = json.load(file)
        for key, setting in (("api", "api.listen"), ("sync", "sync.listen"),
                             ("xds", "xds.listen"), ("diagnostics", "diagnostics.listen")):
            if self.ready.get(key) and setting in self.settings:
                self.settings[setting] = ",".join(self.ready[key])

    def _ready_or_dead(self, path):
        if not self.process.alive() and not os.path.exists(path):
            raise Failure(f"{self.name} ended:\n{self.process.tail()}")
        return os.path.exists(path)

    @property
    def api(self):
        """Its API address for people of this machine."""
        return self.ready["api"][0]

    @property
    def https(self):
        """Its API address for others, by TLS."""
        return self.ready["api"][-1]

    def kill(self):
        """kill -9."""
        self.process.end(signal.SIGKILL)

    def stop(self):
        """Graceful end; its exit code."""
        return self.process.end()

    def finish(self):
        """End it if it runs; what its end and its log say against it, one text each."""
        if self.process is None:
            return []
        faults = []
        if self.process.alive():
            status = self.stop()
            if status != 0:
                faults.append(f"{self.name} ended with {status}")
        with open(self.process.log, encoding="utf-8", errors="replace") as file:
            log = file.read()
        parts = re.split(f"({'|'.join(REPORTS)})", log)
        for mark, text in zip(parts[1::2], parts[2::2]):
            if not is_of_nng(text):
                faults.append(f"{self.name}: {mark}{text[:4000]}")
        return faults

    def get(self, path):
        """GET path from its API; the parsed answer. Failure unless it is 200."""
        status, answer = request(self.api, "GET", path)
        if status != 200:
            raise Failure(f"GET {path} from {self.name}: {status} {answer}")
        return answer

    def metrics(self):
        """Its metrics page as {"name{labels}": value}."""
        _, text = request(self.ready["diagnostics"][0], "GET", "/metrics")
        pairs = (line.rsplit(" ", 1) for line in text.splitlines()
                 if line and not line.startswith("#"))
        return {name: float(value) for name, value in pairs}


class Envoy:
    """A real Envoy for one Dataplane of one zone."""

    def __init__(self, mesh, zone, name, mesh_name="default", drain_seconds=600):
        self.mesh, self.name = mesh, name
        stem = mesh.path(f"{zone.name}-{mesh_name}-{name}")
        self.admin, bootstrap = f"{stem}.admin", f"{stem}.yaml"
        text = mesh.ctl("bootstrap", name, "--mesh", mesh_name, "--admin",
                        f"unix:{self.admin}", server=zone)
        with open(bootstrap, "w", encoding="utf-8") as file:
            file.write(text)
        self.argv = [mesh.envoy, "-c", bootstrap, "--concurrency", "1",
                     "--disable-hot-restart", "--log-level", "warn",
                     "--drain-time-s", str(drain_seconds)]
        self.log = f"{stem}.envoy.log"
        self.start()

    def start(self):
        """Start it; it is live when it has its first configuration."""
        self.process = Process(self.argv, self.log)
        self.mesh.processes.append(self.process)

    def stats(self, prefix=""):
        """Counters and gauges whose name begins with prefix."""
        _, text = request(f"unix:{self.admin}", "GET", f"/stats?filter=^{prefix}")
        pairs = (line.split(": ") for line in (text or "").splitlines() if ": " in line)
        return {name: int(value) for name, value in pairs if value.isdigit()}

    def live(self):
        """True once it serves with a configuration of its own."""
        try:
            status, _ = request(f"unix:{self.admin}", "GET", "/ready")
            return status == 200
        except OSError:
            if not self.process.alive():
                raise Failure(f"envoy {self.name} ended:\n{self.process.tail()}") from None
            return False

    def clusters(self):
        """Its view of all endpoints, as the admin page prints it."""
        return request(f"unix:{self.admin}", "GET", "/clusters")[1]


class Mesh:
    """The folder, the programs and the processes of one run."""

    def __init__(self, preset="release", keep=False):
        self.bin = programs(preset)
        self.envoy = find_envoy()
        self.keep = keep
        self.folder = tempfile.mkdtemp(prefix="zonelink-")
        self.processes, self.daemons = [], []
        self.echo = EchoServers()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        for process in reversed(self.processes):
            process.end(signal.SIGKILL)
        faults = [fault for daemon in reversed(self.daemons) for fault in daemon.finish()]
        if faults and error is None:
            error = Failure("\n".join(faults))
        if error is not None:
            for daemon in self.daemons:
                if daemon.process is not None:  # else it could not be started
                    print(f"--- {daemon.name}\n{daemon.process.tail()}", flush=True)
        if self.keep:
            print(f"kept: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        if faults and kind is None:
            raise error

    def path(self, name):
        """A path in the folder of this run."""
        return os.path.join(self.folder, name)

    def start_global(self, **settings):
        """Start the one global."""
        daemon = Daemon(self, "zonelink-global", "global", {
            "data_dir": self.path("global"),
            "api.listen": f"unix:{self.path('g.sock')},127.0.0.1:0",
            "sync.listen": "127.0.0.1:0", "diagnostics.listen": "127.0.0.1:0", **settings})
        self.daemons.append(daemon)
        return daemon.start()

    def zone(self, name, hub=None, **settings):
        """A zone that is not started yet; hub is its global, or None: it runs alone."""
        os.makedirs(self.path(f"{name}.d"), exist_ok=True)
        fixed = {"data_dir": self.path(name), "zone.name": name,
                 "api.listen": f"unix:{self.path(name + '.sock')}",
                 "xds.listen": "127.0.0.1:0", "diagnostics.listen": "127.0.0.1:0",
                 "dataplanes.dir": self.path(f"{name}.d")}
        if hub is not None:
            fixed["global.sync"] = hub.ready["sync"][0]
            fixed["global.api"] = hub.https
            if "global.token_file" not in settings:
                fixed["global.token_file"] = self.token_file(
                    name, hub, zone=settings.get("zone.name"))
        daemon = Daemon(self, "zonelink-zone", name, {**fixed, **settings})
        self.daemons.append(daemon)
        return daemon

    def token_file(self, name, hub, ttl="1h", zone=None):
        """A file with a new join token for the zone; its path."""
        path = self.path(f"{name}.token")
        with open(path, "w", encoding="utf-8", opener=private) as file:
            file.write(self.ctl("token", "create", "--zone", zone or name, "--ttl", ttl,
                                server=hub))
        return path

    def start_zone(self, name, hub=None, **settings):
        """Start a zone."""
        return self.zone(name, hub, **settings).start()

    def put_file(self, zone, name, text):
        """Write a file of the zone's watched folder, whole: write, then rename."""
        path = self.path(f"{zone.name}.d/{name}")
        with open(path + ".tmp", "w", encoding="utf-8") as file:
            file.write(text if isinstance(text, str) else json.dumps(text))
        os.rename(path + ".tmp", path)

    def remove_file(self, zone, name):
        """Remove a file of the zone's watched folder."""
        os.unlink(self.path(f"{zone.name}.d/{name}"))

    def ctl(self, *args, server=None, code=0, stdin=None):
        """Run zonelinkctl; its standard output. Failure unless it exits with code."""
        argv = [os.path.join(self.bin, "zonelinkctl")]
        if server is not None:
            argv += ["--server", server.api if server.api.startswith("unix:")
                     else f"http://{server.api}"]
        done = subprocess.run(argv + list(args), input=stdin, capture_output=True,
                              text=True, check=False, timeout=60)
        if done.returncode != code:
            raise Failure(f"zonelinkctl {' '.join(args)}: exit {done.returncode}, not "
                          f"{code}\n{done.stdout}{done.stderr}")
        return done.stdout

    def start_envoy(self, zone, name, **options):
        """Start an Envoy and wait until it is live."""
        envoy = Envoy(self, zone, name, **options)
        wait_for(f"envoy {name} is live", envoy.live)
        return envoy

    def backend(self, zone, name, service, tags=None, state="Ready", mesh_name="default",
                says=None):
        """A Dataplane with an echo server behind it that says its name, or says, registered
        in its zone; the document."""
        document = {"type": "Dataplane", "mesh": mesh_name, "name": name, "networking": {
            "address": "127.0.0.1", "inbound": [{
                "port": free_port(), "state": state,
                "servicePort": self.echo.start(says or name),
                "serviceAddress": "127.0.0.1",
                "tags": {"kuma.io/service": service, "kuma.io/protocol": "tcp",
                         **(tags or {})}}]}}
        self.put_file(zone, f"{name}.yaml", document)
        return document

    def ingress(self, zone, name):
        """A ZoneIngress, registered in its zone; the port that other zones dial."""
        port = free_port()
        self.put_file(zone, f"{name}.yaml", {
            "type": "ZoneIngress", "name": name, "networking": {
                "address": "127.0.0.1", "port": port,
                "advertisedAddress": "127.0.0.1", "advertisedPort": port}})
        wait_for(f"{zone.name} has {name}", lambda: any(
            item["name"] == name for item in zone.get("/zoneingresses")["items"]))
        return port

    def client(self, zone, name, services, labels=None, mesh_name="default"):
        """A Dataplane that only calls; {service: port of its outbound}."""
        ports = {service: free_port() for service in services}
        document = {"type": "Dataplane", "mesh": mesh_name, "name": name,
                    "labels": labels or {}, "networking": {
                        "address": "127.0.0.1", "inbound": [{
                            "port": free_port(), "servicePort": self.echo.start(name),
                            "serviceAddress": "127.0.0.1",
                            "tags": {"kuma.io/service": name, "kuma.io/protocol": "tcp",
                                     **(labels or {})}}],
                        "outbound": [{"port": port, "tags": {"kuma.io/service": service}}
                                     for service, port in ports.items()]}}
        self.put_file(zone, f"{name}.yaml", document)
        return ports

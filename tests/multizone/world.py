"""The world: one global and three zones with real Envoys, each host on its own networks.

It has two forms, of one topology (docker-compose.yml) and with the same methods:
network namespaces (world_namespaces.py) and containers (world_docker.py).

Hosts: `global`; in each zone Z of east, west, apac: `Z-cp` (zonelink-zone), `Z-ingress`
and `Z-egress` (Envoys of the ZoneIngress `ingress-Z` and the ZoneEgress `egress-Z`),
`Z-web` (client, Envoy of Dataplane `web`), `Z-backend-v0`, `Z-backend-v1` (Envoy and echo
server; service `backend` of tag `version`, and the same by HTTP as `backend-http`); besides
`west-only` (a service `only` that no other zone has) and `east-gateway` (a builtin gateway,
service `gateway`). Egresses and the gateway are there but not started: start() does it.

A scenario (@story.world_scenario()) gets the world as it was when it came up:

    @world_scenario()
    def cross_split(world):
        world.apply(route)                     # at global, acknowledged by all proxies
        counts = world.connections("east", "backend", 2000)
        assert counts["west/backend/v1"] ...; counts.failures, counts.by_zone()
        with world.hold("east", "backend", 1000) as held, world.load("east", "backend") as load:
            world.kill("global"); world.start("global")
            world.cut_wan("west"); world.mend_wan("west")
            held.cut(), load.stop().failures
"""
import contextlib
import json
import os
import shutil
import subprocess

import local
import world_documents as documents
from world_documents import ECHO, OUTBOUNDS, ZONES, proxy_of, zone_of
from world_hosts import Hosts
from world_traffic import Counts, Hold, Load

STALE_AFTER, WITHDRAW_AFTER, DRAIN = 3, 10, 3  # seconds, everywhere in the world
LAZY = ("egress", "gateway")


class World(Hosts):  # pylint: disable=too-many-public-methods  # stories are told in it
    """One global and three zones on their hosts; what scenarios are written with."""

    def __init__(self, preset="release", family=4, keep=False):
        super().__init__(family, keep)
        self.bin = local.programs(preset)
        self.applied = []  # (host, document) of what scenarios applied, in order

    # -- up and down ---------------------------------------------------------------------

    def up(self):
        """Make and start everything but LAZY, and wait until all is in its place."""
        for host in self.topology.hosts:
            os.makedirs(self.path(host))
        self._make()
        self._start_global()
        for zone in ZONES:
            self._start_zone(zone)
        hosts = [host for host in self.topology.hosts if proxy_of(host)
                 and host.partition("-")[2] not in LAZY]
        for host in hosts:
            self._prepare_proxy(host)
            self._launch(host)
        for host in hosts:
            self._wait_ready(host)
        self._settle()
        return self

    def down(self):
        """End and remove everything; what the programs' ends and logs say against them."""
        try:
            running = [host for host in self.running if self.alive(host)]
            self.stop(*filter(proxy_of, running))
            daemons = [host for host in running if not proxy_of(host)]
            for host, status in self.stop(*daemons).items():
                if status:
                    self.faults.append(f"{host} ended with {status}")
            for host in self.topology.hosts:
                self._read_log(host)
        finally:
            self._unmake()
            if self.keep:
                print(f"kept: {self.folder}")
            else:
                shutil.rmtree(self.folder, ignore_errors=True)
        return self.faults

    def __enter__(self):
        try:
            return self.up()
        except BaseException:
            self.tails()
            self.down()
            raise

    def __exit__(self, kind, *_):
        faults = self.down()
        if faults and kind is None:
            raise local.Failure("\n".join(faults))

    # -- the processes -------------------------------------------------------------------

    def _daemon(self, host, program, settings):
        command = [self._program(program), "--ready-file", self.inside(host, "ready")]
        settings = {"data_dir": os.path.join(self.inside(host), self.data_folder),
                    "api.listen": f"unix:{self.inside(host, 'api')}",
                    "diagnostics.listen": f"unix:{self.inside(host, 'diagnostics')}",
                    **settings}
        for key, value in settings.items():
            command += ["--set", f"{key}={value}"]
        self._write(host, "host.json", {"name": host, "echo": None, "command": command,
                                        "ready": self.inside(host, "ready")})
        self._launch(host)
        self._wait_ready(host)

    def _start_global(self):
        endpoint = self.topology.endpoint
        self._daemon("global", "zonelink-global", {
            "api.listen": ",".join((f"unix:{self.inside('global', 'api')}",
                                    endpoint("global", documents.API))),
            "sync.listen": endpoint("global", documents.SYNC),
            "zones.stale_after": f"{STALE_AFTER}s",
            "zones.withdraw_after": f"{WITHDRAW_AFTER}s"})
        self._call("global", "PUT", "/meshes/default", documents.mesh())
        self._call("global", "PUT", "/meshes/default/meshtrafficpermissions/all-of-the-mesh",
                   documents.permission())

    def _start_zone(self, zone):
        """Let a zone join by a token, with its Dataplanes in the watched folder."""
        host, endpoint = f"{zone}-cp", self.topology.endpoint
        self._write(host, "token", self.ctl("token", "create", "--zone", zone, "--ttl", "1h"))
        self._write_dataplanes(zone)
        self._daemon(host, "zonelink-zone", {
            "zone.name": zone, "xds.listen": endpoint(host, documents.XDS),
            "dataplanes.dir": self.inside(host, "dataplanes"),
            "global.sync": endpoint("global", documents.SYNC),
            "global.api": endpoint("global", documents.API),
            "global.token_file": self.inside(host, "token")})

    def _prepare_proxy(self, host):
        """Write what a host with an Envoy starts from."""
        zone, name = zone_of(host), proxy_of(host)
        kind = {"ingress": "zoneingresses", "egress": "zoneegresses"}.get(
            host.partition("-")[2], "meshes/default/dataplanes")
        admin = self.inside(host, "admin")
        path = f"/{kind}/{name}"
        local.wait_for(f"{zone} has {name}", lambda: local.request(
            self.api(f"{zone}-cp"), "GET", path)[0] == 200)
        self._write(host, "envoy.yaml", self._call(
            f"{zone}-cp", "GET", f"{path}/_bootstrap?admin=unix:{admin}"))
        has_echo = name not in (f"ingress-{zone}", f"egress-{zone}", "gateway")
        self._write(host, "host.json", {
            "name": documents.answer_of(host), "echo": ECHO if has_echo else None,
            "admin": admin, "command": [
                self._program("envoy"), "-c", self.inside(host, "envoy.yaml"),
                "--concurrency", "1", "--disable-hot-restart", "--log-level", "warn",
                "--drain-time-s", str(DRAIN)]})

    def _launch(self, host):
        for name in ("ready", "admin"):  # of an earlier life
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path(host, name))
        self.running.add(host)
        self._begin(host)

    def start(self, *hosts, wait=True):
        """Start hosts that were killed, stopped or (egress, gateway) never started, with
        the data and addresses they had; wait until they are ready. An egress is
        registered in its zone by this."""
        for host in hosts:
            if host not in self.running and proxy_of(host):
                if host.endswith("-egress"):
                    self.register(zone_of(host), documents.egress(self.topology, host))
                self._prepare_proxy(host)
            self._launch(host)
            if zone_of(host) in self.severed:
                self._filter([host], self._cut_rules())
        for host in hosts if wait else ():
            self._wait_ready(host)

    def restore_global(self, snapshot):
        """Put a snapshot, a file of this machine, in the place of the store of a global
        that does not run, and start it."""
        self.ctl("snapshot", "restore", snapshot, "--data-dir", self.data_path("global"),
                 "--force")
        self.start("global")

    # -- what is asked of the control planes -----------------------------------------------

    def api(self, host):
        """The API of `global` or `Z-cp`, for local.request()."""
        return f"unix:{self.path(host, 'api')}"

    def _call(self, host, method, path, body=None):
        status, answer = local.request(self.api(host), method, path, body)
        if status not in (200, 201):
            raise local.Failure(f"{method} {path} at {host}: {status} {answer}")
        return answer

    def get(self, host, path):
        """GET a path of the API of `global` or `Z-cp`; Failure unless it is 200."""
        return self._call(host, "GET", path)

    def _ctl(self, host, args, code, stdin):
        argv = [os.path.join(self.bin, "zonelinkctl"), "--server", self.api(host), *args]
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True,
                              check=False, timeout=120)
        if done.returncode != code:
            raise local.Failure(f"{' '.join(argv)}: exit {done.returncode}, not {code}\n"
                                f"{done.stdout}{done.stderr}")
        return done.stdout

    def ctl(self, *args, code=0, stdin=None):
        """Run zonelinkctl against global; its standard output."""
        return self._ctl("global", args, code, stdin)

    def zone_ctl(self, zone, *args, code=0, stdin=None):
        """Run zonelinkctl against the control plane of a zone."""
        return self._ctl(f"{zone}-cp", args, code, stdin)

    def apply(self, *docs, wait="proxies", zone=None, seconds=60):
        """Store documents at global, or in a zone, and wait until all live proxies (or
        "zones"; None: do not wait) have them and nobody has refused; the answer. They are
        deleted again before the next scenario; a Mesh is put back as it was."""
        host = f"{zone}-cp" if zone else "global"
        query = f"?wait={wait}&timeout={seconds}s" if wait and not zone else ""
        answer = self._call(host, "POST", f"/_apply{query}", list(docs))
        self.applied += [(host, doc) for doc in docs]
        waited = answer.get("wait", {"reached": True, "nacked": 0})
        if not waited["reached"] or waited["nacked"]:
            raise local.Failure(f"not everywhere within {seconds} s: {json.dumps(waited)}")
        return answer

    def delete(self, kind, name, mesh="default"):
        """Delete a resource at global: its kind in the plural, as in paths."""
        path = f"/{kind}/{name}" if kind in ("zones", "meshes") else \
            f"/meshes/{mesh}/{kind}/{name}"
        return self._call("global", "DELETE", path)

    def wait_in_sync(self, seconds=120):
        """Wait until all zones are Online and all that should run has what global has."""
        seen = {}

        def in_sync():
            overview = seen["zones"] = self.get("global", "/zones/_overview")
            answer = seen["proxies"] = self.get(
                "global", f"/_wait?revision={overview['revision']}&for=proxies&timeout=3s")
            online = [zone["name"] for zone in overview["items"]
                      if zone["state"] == "Online" and zone["condition"] == "Online"]
            return sorted(online) == sorted(ZONES) and answer["reached"] and all(
                zone["proxies"]["total"] == self._proxies(zone["name"])
                for zone in answer["zones"])

        try:
            local.wait_for("all zones are in sync", in_sync, seconds)
        except local.Failure as failure:
            raise local.Failure(f"{failure}: {json.dumps(seen)[-4000:]}") from None

    def _proxies(self, zone):
        """How many of its Envoys run."""
        return sum(1 for host in self.running if zone_of(host) == zone and proxy_of(host))

    # -- Dataplanes ------------------------------------------------------------------------

    def register(self, zone, doc):
        """Write a document of a zone's watched folder (Dataplane, ZoneIngress, ZoneEgress);
        it is put back as it was before the next scenario."""
        self._write(f"{zone}-cp", f"dataplanes/{doc['name']}.yaml", doc)

    def dataplane(self, host):
        """The document by which a host is registered at the beginning."""
        return documents.document(self.topology, host)

    def _write_dataplanes(self, zone):
        """Bring the watched folder to its beginning."""
        folder = self.path(f"{zone}-cp", "dataplanes")
        os.makedirs(folder, exist_ok=True)
        wanted = {f"{name}.yaml": json.dumps(doc) for name, doc
                  in documents.folder_of(zone, self.topology).items()}
        for name in set(os.listdir(folder)) - set(wanted):
            os.unlink(os.path.join(folder, name))
        for name, text in wanted.items():
            path = os.path.join(folder, name)
            if not os.path.exists(path) or open(path, encoding="utf-8").read() != text:
                self._write(f"{zone}-cp", f"dataplanes/{name}", text)

    # -- traffic -----------------------------------------------------------------------------

    def connect(self, host, address, port, count=1, parallel=8, *options):
        """Counts of fresh connections from a host to an address; options of client.py."""
        return Counts(json.loads(self.run(host, *self.client_argv(
            "count", address, str(port), str(count), "--parallel", str(parallel), *options),
            seconds=600)))

    def connections(self, zone, outbound, count=1, parallel=8, *options):
        """Counts of fresh connections through an outbound (OUTBOUNDS) of the zone's `web`.
        For `backend-http` they are requests, each on a connection of its own."""
        options += ("--http", outbound) if outbound.endswith("-http") else ()
        return self.connect(f"{zone}-web", "127.0.0.1", OUTBOUNDS[outbound][0], count,
                            parallel, *options)

    def hold(self, zone, outbound, count, parallel=64, interval=5):
        """Open connections through an outbound and keep them: Hold."""
        return Hold(self, f"{zone}-web", "127.0.0.1", OUTBOUNDS[outbound][0], count,
                    "--parallel", str(parallel), "--interval", str(interval))

    def load(self, zone, outbound, parallel=2, rate=0, options=()):
        """New connections all the time, at most so many a second: Load."""
        return Load(self, f"{zone}-web", "127.0.0.1", OUTBOUNDS[outbound][0],
                    "--parallel", str(parallel), "--rate", str(rate), *options)

    def certificate(self, host, address, port, *options):
        """The certificate (PEM) that a TLS server shows to a host, or None."""
        return json.loads(self.run(host, *self.client_argv(
            "peer", address, str(port), *options)))["certificate"]

    def envoy(self, host, path):
        """GET a path of the admin page of a host's Envoy."""
        return local.request(f"unix:{self.path(host, 'admin')}", "GET", path)[1]

    def stats(self, host, prefix=""):
        """Counters and gauges of a host's Envoy whose name begins so."""
        pairs = (line.split(": ") for line in
                 self.envoy(host, f"/stats?filter=^{prefix}").splitlines() if ": " in line)
        return {name: int(value) for name, value in pairs if value.isdigit()}

    def metrics(self, host):
        """The metrics of `global` or `Z-cp`: {"name{labels}": value}."""
        _, text = local.request(f"unix:{self.path(host, 'diagnostics')}", "GET", "/metrics")
        pairs = (line.rsplit(" ", 1) for line in text.splitlines()
                 if line and not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    # -- between scenarios ---------------------------------------------------------------------

    def reset(self):
        """Back to the beginning: what was cut is mended, what was killed is started, what
        was started is ended, what was stored is deleted; then all is in sync."""
        for zone in tuple(self.severed):
            self.mend_wan(zone)
        lazy = [host for host in self.running if host.partition("-")[2] in LAZY]
        self.stop(*filter(self.alive, lazy))
        self.running.difference_update(lazy)
        missing = [host for host in sorted(self.running, key=lambda h: bool(proxy_of(h)))
                   if not self.alive(host)]
        for host in missing:
            self.start(host)
        for zone in ZONES:
            self._write_dataplanes(zone)
            self._enable(zone)
        for host, doc in reversed(self.applied):
            self._forget(host, doc)
        self.applied.clear()
        self._settle()

    def _settle(self):
        """Wait until all zones are in sync and each client is answered by the two backends
        of its own zone."""
        self.wait_in_sync()
        for zone in ZONES:
            wanted = {f"{zone}/backend/v0", f"{zone}/backend/v1"}
            local.wait_for(f"{zone} is as it was", lambda z=zone, names=wanted: set(
                counts := self.connections(z, "backend", 10)) == names
                and not counts.failures, 60)

    def _enable(self, zone):
        if not self.get("global", f"/zones/{zone}").get("enabled", True):
            self._call("global", "POST", f"/zones/{zone}/_enable")

    def _forget(self, host, doc):
        """Delete what a scenario stored, if it is still there."""
        if doc["type"] == "Mesh" and doc["name"] == "default":
            self._restore_mesh()
            return
        kind = documents.plural(doc["type"])
        path = f"/meshes/{doc.get('mesh', 'default')}/{kind}/{doc['name']}" \
            if "mesh" in doc else f"/{kind}/{doc['name']}"
        if zone_of(host):  # others have objects of this name too
            path += f"?zone={zone_of(host)}"
        status, answer = local.request(self.api(host), "DELETE", path)
        if status not in (200, 404):
            raise local.Failure(f"DELETE {path} at {host}: {status} {answer}")

    def _restore_mesh(self):
        """Its authority may have been changed; that is not done in one step."""
        wanted = documents.mesh()
        now = self.get("global", "/meshes/default")
        if now.get("mtls", {}).get("enabledBackend") not in (None, "", "ca-1"):
            self._call("global", "PUT", "/meshes/default",
                       {"type": "Mesh", "name": "default"})
            self.wait_in_sync()
        self._call("global", "PUT", "/meshes/default", wanted)

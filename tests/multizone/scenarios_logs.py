"""Access logs to receivers and files, and who was denied."""
import json
import os
import socketserver
import threading

import local
from scenarios_mtls import builtin, expect_uncut, hold, put_mesh
from story import SERVICE, expect, scenario, split


class Receiver:
    """What takes lines at a port, which stays the same when it goes and comes back."""

    def __init__(self):
        self.lines, self.links, self.server = [], [], None
        self.port = local.free_port()

    def start(self):
        """Take connections."""
        lines, links = self.lines, self.links

        class Handler(socketserver.StreamRequestHandler):
            """One connection."""

            def handle(self):
                links.append(self.connection)
                try:
                    for line in self.rfile:
                        if line.endswith(b"\n"):
                            lines.append(line[:-1].decode())
                except OSError:
                    pass

        class Server(socketserver.ThreadingTCPServer):
            """It may come back at once."""
            allow_reuse_address, daemon_threads = True, True

        self.server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,)).start()
        return self

    def stop(self):
        """Refuse connections, and end those that are there."""
        self.server.shutdown()
        self.server.server_close()
        for link in self.links:
            try:
                link.shutdown(2)
            except OSError:
                pass
        self.links.clear()

    __enter__ = start

    def __exit__(self, *_):
        self.stop()

    @property
    def address(self):
        """As policies write it."""
        return f"127.0.0.1:{self.port}"


def access_log(*backends, name="logs"):
    """A MeshAccessLog of what web sends."""
    return {"type": "MeshAccessLog", "name": name, "mesh": "default",
            "spec": {"targetRef": {"kind": "Mesh"},
                     "to": [{"targetRef": {"kind": "Mesh"},
                             "default": {"backends": list(backends)}}]}}


def tcp(address, form):
    """A backend that writes to a receiver."""
    return {"type": "Tcp", "tcp": {"address": address, "format": form}}


def plain(text):
    """A format."""
    return {"type": "Plain", "plain": text}


def apply(stage, server, *documents):
    """Write documents."""
    text = "\n---\n".join(json.dumps(one) for one in documents)
    stage.mesh.ctl("apply", "-f", "-", server=server, stdin=text)


def until_synced(zone, name="web"):
    """Wait until the proxy has what it is to have."""
    def is_synced():
        seen = zone.get(f"/meshes/default/dataplanes/{name}/_xds")
        return seen["resources"] and all(one["state"] == "SYNCED" for one in seen["resources"])

    local.wait_for(f"{name} has all", is_synced)


def metric(zone, name, **labels):
    """One value; 0 if it is not there."""
    text = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return zone.metrics().get(f"{name}{{{text}}}" if text else name, 0)


@scenario()
def access_logs_reach_a_receiver(stage):
    """Lines of text and of JSON come to the addresses that a policy names."""
    zone = stage.zone_with_backends("east", None)
    stage.start_envoys(zone)
    pairs = [{"key": "who", "value": "%KUMA_SOURCE_SERVICE%"},
             {"key": "cluster", "value": "%UPSTREAM_CLUSTER%"}]
    with Receiver() as texts, Receiver() as objects:
        apply(stage, zone, split({"v0": 70, "v1": 30}), access_log(
            tcp(texts.address, plain("to %KUMA_DESTINATION_SERVICE% %BYTES_SENT%")),
            tcp(objects.address.replace("127.0.0.1", "localhost"),
                {"type": "Json", "json": pairs})))
        until_synced(zone)
        links = hold(zone.outbounds["backend"])
        local.count_greetings(zone.outbounds["backend"], 100)
        local.wait_for("100 lines of each", lambda: len(texts.lines) >= 100 and
                       len(objects.lines) >= 100)
        expect(all(line.startswith("to backend ") for line in texts.lines), texts.lines[:3])
        seen = [json.loads(line) for line in objects.lines]
        expect(all(set(one) == {"who", "cluster"} and one["who"] == "web" for one in seen),
               f"{seen[:3]}")
        apply(stage, zone, access_log())
        until_synced(zone)
        expect_uncut(links)
    for receiver in (texts, objects):
        expect(len(receiver.lines) == 100, f"{len(receiver.lines)} lines of 100 connections")
    local.wait_for("they are counted", lambda: metric(  # the last ones after they arrived
        zone, "zonelink_access_log_delivered_total", target=texts.address) == 100)
    return "100 connections, 100 lines of text and of JSON"


@scenario()
def access_logs_outlast_a_receiver(stage):
    """A receiver that is away loses nothing that fits; what does not is counted."""
    zone = stage.zone_with_backends("east", None)
    stage.start_envoys(zone)
    receiver = Receiver()
    counter = "zonelink_access_log_dropped_total"
    records = "zonelink_xds_log_records_total"
    with receiver:
        apply(stage, zone, split({"v0": 70, "v1": 30}),
              access_log(tcp(receiver.address, plain("%CONNECTION_ID%"))))
        until_synced(zone)
        local.count_greetings(zone.outbounds["backend"], 50)
        local.wait_for("50 lines", lambda: len(receiver.lines) >= 50)
    links = hold(zone.outbounds["backend"])
    local.count_greetings(zone.outbounds["backend"], 500)
    local.wait_for("lines wait", lambda: metric(
        zone, "zonelink_access_log_queued_bytes", target=receiver.address) > 500)
    with receiver:
        local.wait_for("550 lines", lambda: len(set(receiver.lines)) >= 550, 30)
        expect(len(set(receiver.lines)) == 550, f"{len(set(receiver.lines))} connections")
        expect(metric(zone, counter, target=receiver.address) == 0, "dropped")
        expect_uncut(links)
        local.wait_for("600 lines", lambda: len(set(receiver.lines)) >= 600)
        long = "x" * 50000
        apply(stage, zone, access_log(tcp(receiver.address, plain("%CONNECTION_ID% " + long))))
        until_synced(zone)
    before, came = len(set(receiver.lines)), metric(zone, records)
    local.count_greetings(zone.outbounds["backend"], 200)
    local.wait_for("lines are dropped",
                   lambda: metric(zone, counter, target=receiver.address) > 0, 30)

    def missing():
        """Of those that Envoy sent: with much on its way it leaves one out at times."""
        return metric(zone, records) - came + before - len(set(receiver.lines)) - metric(
            zone, counter, target=receiver.address)

    local.wait_for("lines of nearly all", lambda: metric(zone, records) - came > 150, 30)
    with receiver:
        local.wait_for("every line came or is counted", lambda: not missing(), 30)
    dropped = int(metric(zone, counter, target=receiver.address))
    return f"550 of 550 kept; of 10 MB {dropped} of 200 lines dropped and counted"


def denied(stage, zone, mode):
    """What `get denials` shows of a mode."""
    text = stage.mesh.ctl("get", "denials", "-o", "json", server=zone)
    return [one for one in json.loads(text)["denials"] if one["mode"] == mode]


def permission(action):
    """A MeshTrafficPermission for who is of the mesh."""
    return {"type": "MeshTrafficPermission", "name": "all-of-the-mesh", "mesh": "default",
            "spec": {"targetRef": {"kind": "Mesh"},
                     "from": [{"targetRef": {"kind": "Mesh"}, "default": {"action": action}}]}}


@scenario()
def denials_are_shown_and_counted(stage):
    """Who is denied, and who would be, stands in `get denials` and in the metrics."""
    hub = stage.mesh.start_global()
    zone = stage.zone_with_backends("east", hub, versions=("v0",))
    stage.start_envoys(zone)
    counter = "zonelink_permission_denied_total"
    labels = {"mesh": "default", "service": SERVICE}
    out = zone.outbounds[SERVICE]
    stage.wait(hub, put_mesh(hub, "ca", builtin("ca")))
    local.wait_for("the mesh connects", lambda: all(
        local.greet("127.0.0.1", out) == "backend-v0" for _ in range(20)))
    links = hold(out)
    apply(stage, hub, permission("AllowWithShadowDeny"))

    def is_shown():
        local.greet("127.0.0.1", out)
        return denied(stage, zone, "shadow")

    local.wait_for("a shadow denial", is_shown)
    one = denied(stage, zone, "shadow")[0]
    expect(one["client"].startswith("spiffe://default/web") and one["service"] == SERVICE and
           one["dataplane"] == "backend-v0", f"{one}")
    apply(stage, hub, permission("Deny"))
    local.wait_for("nobody is let in", lambda: not local.greet("127.0.0.1", out))
    expect_uncut(links)
    local.wait_for("a denial", lambda: denied(stage, zone, "enforced"))
    one = denied(stage, zone, "enforced")[0]
    expect(one["service"] == SERVICE and one["reason"] and
           one["client"].startswith("spiffe://default/web"), f"{one}")
    for mode in ("shadow", "enforced"):
        local.wait_for(f"{mode} is counted", lambda mode=mode: metric(
            zone, counter, **labels, mode=mode) == len(denied(stage, zone, mode)) > 0)
    table = stage.mesh.ctl("get", "denials", server=zone)
    expect("CLIENT" in table and "spiffe://default/web" in table and
           "no permission lets it in (handshake)" in table, table)
    expect("SAN_matcher" in stage.mesh.ctl("get", "denials", "-o", "wide", server=zone),
           "wide has not what Envoy says")
    stage.mesh.ctl("get", "denials", server=hub, code=4)
    return "denied in shadow and in the handshake, shown and counted"


@scenario()
def access_log_of_a_missing_folder(stage):
    """A file that cannot be opened: weights follow, status names the policy, nothing is cut;
    a changed policy is tried again."""
    zone = stage.zone_with_backends("east", None)
    stage.start_envoys(zone)
    apply(stage, zone, split({"v0": 100}))
    until_synced(zone)
    links = hold(zone.outbounds["backend"])
    folder = stage.mesh.path("missing")
    backend = {"type": "File", "file": {"path": os.path.join(folder, "mesh.log"),
                                        "format": plain("%UPSTREAM_CLUSTER%")}}
    apply(stage, zone, access_log(backend))

    def told():
        return zone.get("/meshes/default/dataplanes/web/_xds")["withoutFiles"]

    local.wait_for("status tells of the file", told)
    until_synced(zone)
    one = told()[0]
    expect(one["policy"] == 'MeshAccessLog "logs"' and one["file"] == backend["file"]["path"],
           f"{one}")
    expect(zone.get("/_status")["proxies"]["withoutFiles"][0]["proxy"] == "default.web",
           "not in the status of the zone")
    explained = stage.mesh.ctl("explain", "web", server=zone)
    expect('Its Envoy cannot open the file of MeshAccessLog "logs"' in explained, explained)
    for weights in ({"v0": 0, "v1": 100}, {"v0": 50, "v1": 50}):
        apply(stage, zone, split(weights))
        until_synced(zone)
        shares = {f"backend-{key}": share / 100 for key, share in weights.items() if share}
        stage.expect_split(zone, shares, total=400)
        expect(told(), "the status forgot")
    os.mkdir(folder)
    apply(stage, zone, split({"v0": 100}))
    local.wait_for("the file is written to", lambda: local.greet(
        "127.0.0.1", zone.outbounds["backend"]) and os.path.exists(backend["file"]["path"]))
    apply(stage, zone, access_log())
    local.wait_for("nothing is left out", lambda: not told())
    expect_uncut(links)
    return "weights follow without the file"


@scenario()
def event_log_of_a_missing_folder(stage):
    """The same of the events of health checks, which a cluster writes."""
    zone = stage.zone_with_backends("east", None)
    stage.start_envoys(zone)
    apply(stage, zone, split({"v0": 100}))
    until_synced(zone)
    links = hold(zone.outbounds["backend"])
    path = os.path.join(stage.mesh.path("missing"), "events.log")
    conf = {"interval": "1s", "timeout": "1s", "tcp": {}, "eventLogPath": path}
    apply(stage, zone, {"type": "MeshHealthCheck", "name": "checks", "mesh": "default",
                        "spec": {"targetRef": {"kind": "Mesh"},
                                 "to": [{"targetRef": {"kind": "Mesh"}, "default": conf}]}})

    def told():
        return zone.get("/meshes/default/dataplanes/web/_xds")["withoutFiles"]

    local.wait_for("status tells of the file", told)
    until_synced(zone)
    expect(told()[0]["file"] == path and told()[0]["policy"] == 'MeshHealthCheck "checks"',
           f"{told()}")
    apply(stage, zone, split({"v1": 100}))
    until_synced(zone)
    stage.expect_split(zone, {"backend-v1": 1.0}, total=200)
    expect_uncut(links)
    return "weights follow without the file"

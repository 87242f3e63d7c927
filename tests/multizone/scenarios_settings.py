"""What timeouts, retries, limits, checks and logs do to connections: each effect is counted
by Envoy, or by those who connect."""
import base64
import collections
import contextlib
import json
import os
import re
import select
import socket
import time

import local
from story import SERVICE, expect, scenario, split

PLURALS = {"MeshTimeout": "meshtimeouts", "MeshRetry": "meshretries",
           "MeshHealthCheck": "meshhealthchecks", "MeshAccessLog": "meshaccesslogs",
           "MeshCircuitBreaker": "meshcircuitbreakers", "MeshTCPRoute": "meshtcproutes",
           "MeshTrafficPermission": "meshtrafficpermissions", "MeshHTTPRoute": "meshhttproutes",
           "TrafficRoute": "traffic-routes", "Timeout": "timeouts", "Retry": "retries"}


def to(kind, default, service="backend", name="one"):
    """A policy about what goes to a service; None: to everything."""
    target = {"kind": "MeshService", "name": service} if service else {"kind": "Mesh"}
    return {"type": kind, "name": name, "mesh": "default",
            "spec": {"to": [{"targetRef": target, "default": default}]}}


def rules(kind, default, name="inbounds", **more):
    """A policy about what comes in."""
    return {"type": kind, "name": name, "mesh": "default",
            "spec": {"rules": [{"default": default}], **more}}


def apply(hub, *documents):
    """Write documents at global and wait until all proxies have them; the answer."""
    status, answer = local.request(hub.api, "POST", "/_apply?wait=proxies&timeout=60s",
                                   list(documents))
    expect(status == 200 and answer["wait"]["reached"] and not answer["wait"]["nacked"],
           f"apply: {status} {answer}")
    return answer


def remove(stage, hub, *documents):
    """Delete documents at global and wait until all proxies have none of them."""
    for document in documents:
        path = f"/meshes/default/{PLURALS[document['type']]}/{document['name']}"
        status, answer = local.request(hub.api, "DELETE", path)
        expect(status == 200, f"DELETE {path}: {status} {answer}")
    stage.wait(hub, answer["revision"])


class Place:
    """A zone where `web`, behind an Envoy, calls instances. Those of connections have none:
    what its Envoy meets is what their servers do. Requests go from Envoy to Envoy."""

    def __init__(self, stage, versions, ports=None, protocol="tcp", service="backend"):
        """Instances by name, and their versions; ports of those that are no echo servers;
        which outbound is looked at: `backend`, which only routes know, or SERVICE."""
        self.stage, self.mesh, self.service = stage, stage.mesh, service
        self.hub = stage.mesh.start_global()
        self.zone = stage.mesh.start_zone("east", self.hub)
        self.ports = {name: (ports or {}).get(name) or self.mesh.echo.start(name)
                      for name in versions}
        for name, version in versions.items():
            where = {"port": self.ports[name]} if protocol == "tcp" else {
                "port": local.free_port(), "serviceAddress": "127.0.0.1",
                "servicePort": self.ports[name]}
            self.mesh.put_file(self.zone, f"{name}.yaml", {
                "type": "Dataplane", "mesh": "default", "name": name, "networking": {
                    "address": "127.0.0.1", "inbound": [{**where, "tags": {
                        "kuma.io/service": SERVICE, "kuma.io/protocol": protocol,
                        "version": version}}]}})
        outbounds = self.mesh.client(self.zone, "web", ["backend", SERVICE],
                                     {"app": "frontend"})
        self.port = outbounds[service]
        local.wait_for("the zone has its Dataplanes", lambda: self.zone.get(
            "/meshes/default/dataplanes")["total"] == len(versions) + 1)
        for name in versions if protocol != "tcp" else ():
            self.mesh.start_envoy(self.zone, name)
        self.envoy = self.mesh.start_envoy(self.zone, "web")

    def backend(self):
        """What explain says of the outbound, or of its first rule of requests."""
        outbound = self.stage.routes(self.zone)[self.service]
        return {**outbound, **outbound.get("rules", [{}])[0]}

    def counts(self, name):
        """A counter or gauge of the clusters of the outbound: {version: value}."""
        outbound, found = self.backend(), {}
        rules_of = outbound.get("rules", [outbound])
        for ref in (ref for rule in rules_of for ref in rule["backends"] if ref["weight"]):
            stat = f"cluster.{ref['cluster']}.{name}"
            found[ref["tags"]["version"]] = self.envoy.stats(re.escape(stat)).get(stat, 0)
        return found

    def proxy(self):
        """The TcpProxy of the outbound, as Envoy has it."""
        return next(one for name, one in filters(self.envoy).items()
                    if name.endswith(f":{self.port}"))

    def hold(self, count):
        """As many connections as are let in of count: {name of the instance: [sockets]}."""
        links = collections.defaultdict(list)
        for _ in range(count):
            name, link = connected(self.port)
            if link:
                links[name].append(link)
        return links


def connected(port):
    """(name of who answers, the open connection), or (None, None)."""
    link = socket.create_connection(("127.0.0.1", port), 20)
    try:
        link.sendall(b"x")
        data = b""
        while not data.endswith(b"\nx"):
            part = link.recv(256)
            if not part:
                raise ConnectionError
            data += part
        return data[:-2].decode(), link
    except ConnectionError:
        link.close()
        return None, None


def alive(links):
    """How many of these connections still carry a byte there and back."""
    count = 0
    for link in links:
        with contextlib.suppress(OSError):
            link.sendall(b"y")
            count += link.recv(16) == b"y"
    return count


def closed(port, count):
    """Connect so often, one after the other, as attempts of one time end together; all
    must be closed. The seconds that it took."""
    begin = time.monotonic()
    for _ in range(count):
        expect(connected(port)[0] is None, "somebody answered")
    return time.monotonic() - begin


def dump(envoy, resource, part):
    """A part of each of what Envoy was given of a sort, by name."""
    _, answer = local.request(f"unix:{envoy.admin}", "GET", f"/config_dump?resource={resource}")
    return {one[part]["name"]: one[part] for one in answer.get("configs", [])}


def filters(envoy):
    """The filters that came by ECDS: {name: configuration}."""
    return {name: one["typed_config"]
            for name, one in dump(envoy, "ecds_filters", "ecds_filter").items()}


def applied(ref):
    """What policies say of an outbound or a backend: {field: (value, source)}."""
    return {one["field"]: (one["value"], one.get("source"))
            for one in ref.get("applied", [])}


@contextlib.contextmanager
def silent():
    """A port that answers no SYN: as many wait there as may, and nobody takes them."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        waiting = [stack.enter_context(socket.socket()) for _ in range(8)]
        for link in waiting:
            link.setblocking(False)
            link.connect_ex(server.getsockname())
        local.wait_for("one waits", lambda: select.select([], waiting, [], 1)[1])
        yield server.getsockname()[1]


# ---- timeouts and attempts ----
@scenario()
def settings_connect_timeout_and_attempts(stage):
    """An endpoint that swallows SYNs: the timeout fires, as often as there are attempts;
    behind a split there is one, and a warning."""
    with silent() as hole:
        place = Place(stage, {"hole": "v0", "good": "v1"}, {"hole": hole})
        apply(place.hub, split({"v0": 1, "v1": 0}),
              to("MeshTimeout", {"connectionTimeout": "300ms"}))
        ref = place.backend()["backends"][0]
        expect(applied(ref) == {"connectionTimeout": ("300ms", "inherited")}, f"{ref}")
        took = closed(place.port, 5)
        expect(took < 20, f"5 connections took {took:.1f} s, as without the policy")
        expect(place.counts("upstream_cx_connect_timeout")["v0"] == 5 and
               place.counts("upstream_cx_total")["v0"] == 5, "not one attempt each")

        answer = apply(place.hub, to("MeshTimeout", {"connectionTimeout": "1h"}),
                       to("MeshTimeout", {"connectionTimeout": "100ms"}, SERVICE, "own"),
                       to("MeshRetry", {"tcp": {"maxConnectAttempt": 3}}))
        expect(not answer["warnings"], f"{answer['warnings']}")
        ref = place.backend()["backends"][0]
        expect(applied(ref) == {"connectionTimeout": ("100ms", "own")}, f"{ref}")
        before = attempts(place)
        closed(place.port, 10)
        after = attempts(place)
        expect(after == [before[0] + 30, before[1] + 10], f"from {before} to {after}")
        one_attempt_behind_a_split(stage, place)
    return "5 timeouts of 5, 30 attempts of 10 connections with 3 each, 40 of 40 in a split"


def attempts(place):
    """How many connections were begun, and how often all that may be had failed."""
    return [sum(place.counts(name).values()) for name in (
        "upstream_cx_total", "upstream_cx_connect_attempts_exceeded")]


def one_attempt_behind_a_split(stage, place):
    """Two clusters: each connection is tried once, and explain says why."""
    apply(place.hub, split({"v0": 1, "v1": 1}))
    before = attempts(place)[0]
    answered = local.count_greetings(place.port, 40, workers=1)
    count = attempts(place)[0] - before
    expect(count == 40, f"{count} attempts of 40 connections")
    expect(local.inside_binomial(answered["good"], 40, 0.5), f"{answered}")
    expect("max_connect_attempts" not in place.proxy(), f"{place.proxy()}")
    text = stage.mesh.ctl("explain", "web", "-o", "json", server=place.zone)
    told = json.loads(text)["warnings"]
    expect(len(told) == 1 and told[0].endswith(
        'maxConnectAttempt has no effect: the route to "backend" has 2 clusters, each attempt '
        'would pick again'), f"{told}")


@scenario()
def settings_idle_timeout_closes(stage):
    """Connections on which nothing moves are closed; those from before the policy stay."""
    place = Place(stage, {"a": "v0", "b": "v1"})
    apply(place.hub, split({"v0": 1, "v1": 1}))
    old = sum(place.hold(5).values(), [])
    apply(place.hub, to("MeshTimeout", {"idleTimeout": "1s"}))
    expect(applied(place.backend()) == {"idleTimeout": ("1s", None)}, "not at the outbound")
    expect_idle(place.envoy, "backend", sum(place.hold(10).values(), []))
    expect(alive(old) == 5, "a connection from before was closed")
    return "10 of 10 closed, 5 of 5 from before stay"


def expect_idle(envoy, name, links):
    """All of these connections of a TcpProxy are closed, as nothing moves there for 1 s."""
    for link in links:
        expect(link.recv(16) == b"", "something came")
    count = envoy.stats(f"tcp.{name}.idle_timeout")
    expect(list(count.values()) == [len(links)], f"{len(links)} closed, counted {count}")


# ---- breakers ----
@scenario()
def settings_limits_hold_behind_a_split(stage):
    """maxConnections: each backend of the split lets in so many, what is open stays, and
    who is over it is closed and counted."""
    place = Place(stage, {"a": "v0", "b": "v1"})
    apply(place.hub, split({"v0": 1, "v1": 1}), to("MeshCircuitBreaker", {
        "connectionLimits": {"maxConnections": 3}}))
    for ref in place.backend()["backends"]:
        expect(applied(ref) == {"connectionLimits.maxConnections": (3, "inherited")},
               f"{ref}")
    links = place.hold(100)
    expect({name: len(some) for name, some in links.items()} == {"a": 3, "b": 3},
           f"let in: {links}")
    overflow = place.counts("upstream_cx_overflow")
    expect(sum(overflow.values()) == 94 and min(overflow.values()) > 0, f"{overflow}")
    expect(alive(links["a"] + links["b"]) == 6, "an open connection was closed")

    links["a"].pop().close()
    local.wait_for("Envoy sees the end", lambda: place.counts(
        "upstream_cx_active")["v0"] == 2)
    more = place.hold(100)
    expect(list(more) == ["a"] and len(more["a"]) == 1, f"after one left: {more}")
    remove(stage, place.hub, to("MeshCircuitBreaker", {}))
    free = place.hold(20)
    expect(sum(map(len, free.values())) == 20, f"without the policy: {free}")
    expect(alive(links["a"] + links["b"] + more["a"]) == 6, "a change cut a connection")
    return f"6 of 100 let in, {sum(overflow.values())} counted"


@scenario()
def settings_outliers_are_ejected(stage):
    """An endpoint that refuses is left out after three failures, behind a redirect."""
    place = Place(stage, {"a": "v0", "gone": "v0", "b": "v1"}, {"gone": local.free_port()})
    apply(place.hub, split({"v0": 1}))
    expect(local.count_greetings(place.port, 40).get("", 0) > 0, "nothing was refused")
    apply(place.hub, to("MeshCircuitBreaker", {"outlierDetection": {
        "baseEjectionTime": "5m", "detectors": {"totalFailures": {"consecutive": 3}}}}))
    ref = place.backend()["backends"][0]
    expect(applied(ref)["outlierDetection.detectors.totalFailures.consecutive"] ==
           (3, "inherited"), f"{ref}")
    before = place.counts("upstream_cx_connect_fail")["v0"]

    def is_ejected():
        local.count_greetings(place.port, 4)
        return place.counts("outlier_detection.ejections_active")["v0"]

    local.wait_for("the ejection", is_ejected)
    failed = place.counts("upstream_cx_connect_fail")["v0"]
    enforced = place.counts("outlier_detection.ejections_enforced_consecutive_5xx")["v0"]
    counts = local.count_greetings(place.port, 200)
    expect(counts == {"a": 200} and enforced == 1, f"after the ejection: {counts}")
    expect(place.counts("upstream_cx_connect_fail")["v0"] == failed, "it was still tried")
    return f"out after {failed - before} failures, then 200 of 200 answered"


# ---- health checks ----
def check(**tcp):
    """The conf of a check that is done often, also while nobody connects."""
    return {"interval": "300ms", "noTrafficInterval": "300ms", "timeout": "1s",
            "unhealthyThreshold": 2, "healthyThreshold": 1, "tcp": tcp}


@scenario()
def settings_health_check_behind_a_split(stage):
    """A check takes endpoints out that refuse or say the wrong thing; what is open stays;
    behind a split by the destination's policy, behind a redirect by the service's own."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as mute:
        place = Place(stage, {"in-a": "v0", "in-b": "v0", "in-c": "v1", "mute": "v1"},
                      {"mute": mute.getsockname()[1]})
        greeting = base64.b64encode(b"in-").decode()
        apply(place.hub, split({"v0": 1, "v1": 1}),
              to("MeshHealthCheck", check(send=greeting, receive=[greeting])))
        for ref in place.backend()["backends"]:
            expect(applied(ref)["interval"] == ("300ms", "inherited"), f"{ref}")
        local.wait_for("who says nothing is out", lambda: place.counts(
            "membership_healthy") == {"v0": 2, "v1": 1})
        links = place.hold(40)
        expect(sorted(links) == ["in-a", "in-b", "in-c"], f"answered: {sorted(links)}")

        place.mesh.echo.refuse(place.ports["in-b"])
        local.wait_for("who refuses is out", lambda: place.counts(
            "membership_healthy")["v0"] == 1)
        expect(place.counts("health_check.failure")["v0"] > 0, "no failure was counted")
        counts = local.count_greetings(place.port, 200)
        expect(set(counts) == {"in-a", "in-c"}, f"while in-b refuses: {counts}")
        expect(alive(links["in-b"]) == len(links["in-b"]), "an open connection was cut")
        behind_a_redirect(stage, place)
        expect(alive(sum(links.values(), [])) == 40, "a change cut a connection")
    return "out and back, behind a split and a redirect; 40 of 40 held"


def behind_a_redirect(stage, place):
    """All goes to the instances of which one refuses; it is out, and comes back."""
    apply(place.hub, split({"v0": 1}))
    remove(stage, place.hub, to("MeshHealthCheck", {}))
    apply(place.hub, to("MeshHealthCheck", check(), SERVICE))
    expect(applied(place.backend()["backends"][0])["interval"] == ("300ms", "own"),
           "not the service's own")
    local.wait_for("who refuses is out again", lambda: place.counts(
        "membership_healthy")["v0"] == 1)
    counts = local.count_greetings(place.port, 100)
    expect(counts == {"in-a": 100}, f"behind the redirect: {counts}")
    place.mesh.echo.start("in-b", place.ports["in-b"])
    local.wait_for("it is back", lambda: place.counts("membership_healthy")["v0"] == 2)
    counts = local.count_greetings(place.port, 100)
    expect(set(counts) == {"in-a", "in-b"}, f"with in-b: {counts}")


# ---- inbounds ----
@scenario()
def settings_of_inbounds(stage):
    """rules: what comes in is limited, closed when idle, and logged by the server's Envoy."""
    hub = stage.mesh.start_global()
    zone = stage.zone_with_backends("east", hub, versions=("v0",))
    envoy = stage.mesh.start_envoy(zone, "backend-v0")
    inbound = zone.get("/meshes/default/dataplanes/backend-v0")["networking"]["inbound"][0]
    cluster, log = f"localhost_{inbound['servicePort']}", stage.mesh.path("in.log")
    apply(hub, rules("MeshTimeout", {"idleTimeout": "1s"}),
          rules("MeshCircuitBreaker", {"connectionLimits": {"maxConnections": 2}}),
          rules("MeshAccessLog", {"backends": [{"type": "File", "file": {
              "path": log, "format": {"type": "Plain", "plain":
                  "%KUMA_TRAFFIC_DIRECTION% %KUMA_DESTINATION_SERVICE% %RESPONSE_FLAGS%"}}}]}))
    links = [connected(inbound["port"])[1] for _ in range(5)]
    let_in = [link for link in links if link]
    expect(len(let_in) == 2, f"{len(let_in)} were let in")
    stats = envoy.stats(f"cluster.{cluster}.upstream_cx_overflow")
    expect(list(stats.values()) == [3], f"{stats}")
    expect_idle(envoy, cluster, let_in)
    seen = lines_of(log, 5)
    expect(collections.Counter(seen) == {f"INBOUND {SERVICE} -": 2,
                                         f"INBOUND {SERVICE} UO": 3}, f"{seen}")
    return "2 of 5 let in, 2 of 2 idle ones closed, 5 lines"


# ---- access logs ----
def lines_of(path, count):
    """The lines of a log, once there are so many: Envoy writes every 10 s."""
    def lines():
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()

    local.wait_for(f"{count} lines in {path}", lambda: len(lines()) >= count, 60)
    expect(len(lines()) == count, f"not {count} lines: {lines()}")
    return lines()


LINE = ("%KUMA_MESH% %KUMA_SOURCE_SERVICE%>%KUMA_DESTINATION_SERVICE% %UPSTREAM_CLUSTER% "
        "%UPSTREAM_HOST% %BYTES_RECEIVED% %KUMA_TRAFFIC_DIRECTION%")


def log_to(path, **form):
    """The conf of a log to a file."""
    return {"backends": [{"type": "File", "file": {"path": path, "format": form}}]}


@scenario()
def settings_access_log_after_a_split(stage):
    """Each connection has its line, with the backend that it went to: as text, as JSON,
    and none once somebody says so."""
    place = Place(stage, {"a": "v0", "b": "v1"})
    text, table = stage.mesh.path("text.log"), stage.mesh.path("json.log")
    apply(place.hub, split({"v0": 3, "v1": 1}),
          to("MeshAccessLog", log_to(text, type="Plain", plain=LINE)))
    counts = local.count_greetings(place.port, 40)
    apply(place.hub, to("MeshAccessLog", {"backends": []}))
    local.count_greetings(place.port, 30)
    apply(place.hub, to("MeshAccessLog", log_to(table, type="Json", json=[
        {"key": "cluster", "value": "%UPSTREAM_CLUSTER%"},
        {"key": "received", "value": "%BYTES_RECEIVED%"},
        {"key": "from", "value": "%KUMA_SOURCE_SERVICE%"}])))
    again = local.count_greetings(place.port, 40)
    refs = {ref["tags"]["version"]: ref["cluster"] for ref in place.backend()["backends"]}
    clusters = {"a": refs["v0"], "b": refs["v1"]}
    expect(collections.Counter(lines_of(text, 40)) == {
        f"default web>backend {clusters[name]} 127.0.0.1:{place.ports[name]} 1 OUTBOUND": count
        for name, count in counts.items()}, f"{counts}: {lines_of(text, 40)}")
    found = [json.loads(line) for line in lines_of(table, 40)]
    expect(collections.Counter(one["cluster"] for one in found) == {
        clusters[name]: count for name, count in again.items()}, f"{again}: {found}")
    expect(all(one["received"] == 1 and one["from"] == "web" for one in found), f"{found}")
    return f"40 of 40 lines in both forms, none between: {counts}, {again}"

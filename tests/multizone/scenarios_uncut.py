"""Policies on routes come, change and go, old kinds and new: what is open stays open, and
what a legacy policy becomes is what it was."""
import http.client
import json
import time

import local
from scenarios_mtls import builtin, put_mesh
from scenarios_requests import Server
from scenarios_settings import (Place, alive, apply, attempts, closed, connected, dump, filters,
                                log_to, remove, rules, silent, to)
from story import SERVICE, expect, scenario, split

HELD, DRAIN = 50, 3  # connections, seconds


def both(policy, inbound):
    """A policy about what goes out, and one of its kind about what comes in."""
    return [policy, rules(policy["type"], inbound)]


def turns(stage):
    """For each kind: the documents as they come, and as they are changed."""
    log, other = stage.mesh.path("one.log"), stage.mesh.path("other.log")
    asked = {"interval": "1s", "timeout": "1s", "unhealthyThreshold": 3, "healthyThreshold": 1,
             "tcp": {}, "http": {"disabled": True}}
    limits = {"connectionLimits": {"maxConnections": 500}}
    found = {"outlierDetection": {"detectors": {"totalFailures": {"consecutive": 5}}}}
    allow = [{"spiffeID": {"type": "Exact", "value": "spiffe://default/web"}}]
    prefix = [{"spiffeID": {"type": "Prefix", "value": "spiffe://default/"}}]
    times = {"connectionTimeout": "5s", "idleTimeout": "1m",
             "http": {"requestTimeout": "5s", "streamIdleTimeout": "1m"}}
    tries = {"tcp": {"maxConnectAttempt": 3}, "http": {"numRetries": 2}}
    return {
        "MeshTimeout": (both(to("MeshTimeout", times, None), times),
                        both(to("MeshTimeout", {**times, "idleTimeout": "2m"}, None),
                             {**times, "connectionTimeout": "3s"})),
        "MeshRetry": ([to("MeshRetry", tries, None)],
                      [to("MeshRetry", {**tries, "tcp": {"maxConnectAttempt": 2}}, None)]),
        "MeshHealthCheck": ([to("MeshHealthCheck", asked, None)],
                            [to("MeshHealthCheck", {**asked, "interval": "2s"}, None)]),
        "MeshCircuitBreaker": (both(to("MeshCircuitBreaker", limits, None), limits),
                               both(to("MeshCircuitBreaker", found, None), found)),
        "MeshAccessLog": (both(to("MeshAccessLog", log_to(log, type="Plain", plain="%DURATION%"),
                                  None), log_to(log, type="Plain", plain="in %DURATION%")),
                          both(to("MeshAccessLog", log_to(other, type="Json", json=[
                              {"key": "a", "value": "%DURATION%"}]), None), {"backends": []})),
        "MeshTrafficPermission": ([rules("MeshTrafficPermission", {"allow": allow})],
                                  [rules("MeshTrafficPermission", {
                                      "allow": prefix, "deny": allow})]),
    }


class Requests:
    """Open connections, each for requests."""

    def __init__(self, port, count):
        self.links = [http.client.HTTPConnection("127.0.0.1", port, timeout=20)
                      for _ in range(count)]
        self.sockets = []
        for link in self.links:
            expect(self.ask(link), "a request failed before the first change")
            self.sockets.append(link.sock)

    def ask(self, link):
        """True if a request is answered, and the connection is left open."""
        try:
            link.request("GET", "/")
            answer = link.getresponse()
            answer.read()
            return answer.status == 200 and link.sock is not None
        except OSError:
            return False

    def alive(self):
        """How many still answer by the connection that they began with."""
        return sum(link.sock is one and self.ask(link)
                   for link, one in zip(self.links, self.sockets))


def pages(stage, zone):
    """A service of requests, with an Envoy."""
    stage.mesh.put_file(zone, "pages.yaml", {
        "type": "Dataplane", "mesh": "default", "name": "pages", "networking": {
            "address": "127.0.0.1", "inbound": [{
                "port": local.free_port(), "serviceAddress": "127.0.0.1",
                "servicePort": Server("pages").port,
                "tags": {"kuma.io/service": "pages", "kuma.io/protocol": "http"}}]}})
    zone.outbounds = stage.mesh.client(zone, "web", ["backend", SERVICE, "pages"],
                                       {"app": "frontend"})
    local.wait_for("the zone has its Dataplanes", lambda: zone.get(
        "/meshes/default/dataplanes")["total"] == len(zone.proxies) + 1)
    zone.proxies.append("pages")


@scenario()
def policies_cut_nothing(stage):
    """Each kind comes, changes and goes under 50 held connections and 10 of requests, in a
    mesh with mTLS: none is cut, no listener is changed, and what is new is let in."""
    hub = stage.mesh.start_global()
    zone = stage.zone_with_backends("east", hub)
    pages(stage, zone)
    put_mesh(hub, "ca-1", builtin("ca-1"))
    status, answer = local.request(hub.api, "PUT", "/meshes/default", {
        "type": "Mesh", "name": "default", "mtls": {
            "enabledBackend": "ca-1", "backends": [builtin("ca-1")],
            "defaultPermission": "Allow"}})
    expect(status == 200, f"PUT mesh: {status} {answer}")
    stage.start_envoys(zone, drain_seconds=DRAIN)
    apply(hub, split({"v0": 70, "v1": 30}))
    out = zone.outbounds
    local.wait_for("the mesh connects", lambda: local.greet("127.0.0.1", out["backend"]))
    links = [connected(out["backend"])[1] for _ in range(HELD)]
    asking = Requests(out["pages"], 10)

    def expect_all(when):
        left = alive(links), asking.alive()
        expect(left == (HELD, 10), f"{when}: {left} of {HELD} and 10 are left")

    for kind, (coming, changed) in turns(stage).items():
        for when, documents in (("comes", coming), ("changes", changed)):
            apply(hub, *documents)
            expect_all(f"{kind} {when}")
        remove(stage, hub, *changed)
        expect_all(f"{kind} goes")
        local.wait_for(f"new ones after {kind}", lambda: local.count_greetings(
            out["backend"], 20).keys() == {"backend-v0", "backend-v1"})
    time.sleep(DRAIN + 2)  # longer than the drain time: what would be cut is cut by now
    expect_all("after the drain time")
    for name, envoy in zone.envoys.items():
        modified = envoy.stats("listener_manager.listener_modified")
        expect(not any(modified.values()), f"{name}: a listener was modified")
    return f"0 of {HELD} and 0 of 10 cut by 18 changes"


# ---- legacy ----
def legacy(kind, conf):
    """A legacy policy about all that goes to `backend`."""
    return {"type": kind, "name": "old", "mesh": "default",
            "sources": [{"match": {"kuma.io/service": "*"}}],
            "destinations": [{"match": {"kuma.io/service": "backend"}}], "conf": conf}


def made(envoy):
    """The clusters and filters that an Envoy has."""
    clusters = dump(envoy, "dynamic_active_clusters", "cluster")
    return json.dumps([clusters, filters(envoy)], sort_keys=True)


def expect_attempts(place, what):
    """Ten connections are tried three times each, which takes its time and no more."""
    before = attempts(place)
    took = closed(place.port, 10)
    after = attempts(place)
    expect(after == [before[0] + 30, before[1] + 10] and took < 45,
           f"{what}: from {before} to {after} in {took:.1f} s")


@scenario()
def legacy_settings_and_what_they_become(stage):
    """Timeout and Retry on a TrafficRoute's outbound have their effect; converted they are
    the same bytes in Envoy."""
    with silent() as hole:
        place = Place(stage, {"hole": "v0", "good": "v1"}, {"hole": hole})
        apply(place.hub, legacy("TrafficRoute", {"destination": {
            "kuma.io/service": SERVICE, "version": "v0"}}))
        old = [legacy("Timeout", {"connectTimeout": "0.1s"}),
               legacy("Retry", {"tcp": {"maxConnectAttempts": 3}})]
        bare = made(place.envoy)
        apply(place.hub, *old)
        before = made(place.envoy)
        expect(before != bare, "they changed nothing")
        expect_attempts(place, "legacy")

        documents = "---\n".join(stage.mesh.ctl("get", kind, "-o", "yaml", server=place.hub)
                                 for kind in ("timeouts", "retries"))
        stage.mesh.ctl("apply", "-f", "-", "--wait", server=place.hub,
                       stdin=stage.mesh.ctl("convert", "-f", "-", stdin=documents))
        remove(stage, place.hub, *old)
        expect(made(place.envoy) == before, f"{made(place.envoy)}, not {before}")
        kinds = {one["kind"] for one in place.backend()["applied"]}
        expect(kinds == {"MeshRetry"}, f"{kinds}")
        expect_attempts(place, "converted")
    return "30 attempts of 10 connections before and after, the same bytes"

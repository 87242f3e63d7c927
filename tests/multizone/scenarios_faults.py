"""What goes wrong around a control plane: ends, abuse, doubles, refusals, changes of mind."""
import http.client
import json
import os
import random
import threading
import time

import local
from story import SERVICE, expect, rounds, scenario, split


def route_path(name):
    """Path of a MeshTCPRoute of mesh default."""
    return f"/meshes/default/meshtcproutes/{name}"


class Writers:
    """Threads that PUT routes at a daemon until its end; what each was told."""

    def __init__(self, daemon, count=4):
        self.daemon, self.acked, self.odd = daemon, {}, []
        self.threads = [threading.Thread(target=self._write, args=(i,))
                        for i in range(count)]
        for thread in self.threads:
            thread.start()

    def _write(self, writer):
        weight = 0
        link = local.connect(self.daemon.api)
        while True:
            weight += 1
            name = f"w{writer}"
            try:
                status, answer = local.request(
                    self.daemon.api, "PUT", route_path(name),
                    split({"v0": weight}, name=name, to=name), connection=link)
            except (OSError, local.http.client.HTTPException):
                try:
                    link = local.connect(self.daemon.api, 2)
                    link.connect()
                    continue  # an idle connection was closed: ask again on a new one
                except OSError:
                    return
            if status in (200, 201):
                self.acked[name] = weight
            elif status != 503:
                self.odd.append((status, answer))

    def join(self):
        """Wait until the daemon has ended for all of them."""
        for thread in self.threads:
            thread.join()


def weight_of(daemon, name):
    """The weight that a route written by Writers has."""
    rule = daemon.get(route_path(name))["spec"]["to"][0]["rules"][0]
    return rule["default"]["backendRefs"][0]["weight"]


@scenario()
def graceful_end_under_load(stage):
    """TERM with writes, waits and Envoys under way: status 0 at once, nothing lost."""
    hub = stage.mesh.start_global()
    zone = stage.zone_with_backends("east", hub)
    stage.start_envoys(zone)
    slowest = 0.0
    for turn in range(20 if stage.long else 3):
        writers = Writers(hub)
        revision = local.wait_for("writes", lambda w=writers: sum(
            w.acked.values()) > 100 and hub.get("/")["revision"])
        waiters = []
        for _ in range(20):
            link = local.connect(hub.api)
            link.request("GET", f"/_wait?revision={revision}&for=proxies&timeout=60s")
            waiters.append(link)
        hub.get("/")  # the waits before it have been read
        stage.mesh.backend(zone, f"new-{turn}", "new")  # a PUSH on its way
        begin = time.monotonic()
        ended = [hub.stop()] + ([zone.stop()] if turn % 2 else [])
        slowest = max(slowest, time.monotonic() - begin)
        writers.join()
        expect(not any(ended), f"ended with {ended}: {hub.process.tail()}")
        expect(not writers.odd, f"odd answers: {writers.odd[:3]}")
        for link in waiters:
            expect(link.getresponse().status == 200, "a waiter was not answered")
            link.close()
        hub.start()
        if turn % 2:
            zone.start()
        for name, weight in writers.acked.items():
            expect(weight_of(hub, name) >= weight,
                   f"{name} was acknowledged with {weight}, is {weight_of(hub, name)}")
    expect(slowest < 5, f"an end took {slowest:.1f} s")
    return f"slowest end {slowest * 1000:.0f} ms"


def state_of(hub, name):
    """What the overview says of a zone: (state, error); None if it is not listed."""
    for zone in hub.get("/zones/_overview")["items"]:
        if zone["name"] == name:
            return zone["state"], zone.get("error", "")
    return None


def joins(zone):
    """How often a zone had to ask global for a session, as its log says."""
    with open(zone.process.log, encoding="utf-8") as file:
        return file.read().count('"link to global" state=join')


def two_zones(stage):
    """Global, east, and west with the service `far-away` that east sees by its ingress."""
    hub = stage.mesh.start_global()
    east, west = stage.zone_with_backends("east", hub), stage.mesh.start_zone("west", hub)
    stage.mesh.backend(west, "far-1", "far-away")
    stage.mesh.put_file(west, "ingress.yaml", {
        "type": "ZoneIngress", "name": "ingress-west", "networking": {
            "address": "127.0.0.1", "port": local.free_port(),
            "advertisedAddress": "10.20.0.1", "advertisedPort": 10001}})
    stage.put(hub, split({"far-away": 1}))

    def sees_west():
        backend = stage.routes(east)["backend"]["backends"][0]
        return [e["zone"] for e in backend.get("endpoints", [])] == ["west"]

    local.wait_for("east sees the service of west", sees_west)
    return hub, east, west, sees_west


@scenario(needs_envoy=False)
def zone_disabled_deleted_and_back(stage):
    """A disabled or deleted zone's services are withdrawn; enabled or joined they return."""
    hub, east, west, sees_west = two_zones(stage)
    since, turns = joins(east), rounds(2, 20, 100)
    for _ in range(turns):
        status, answer = local.request(hub.api, "DELETE", "/zones/west")
        expect(status == 409, f"delete of a connected zone: {status} {answer}")
        for enabled in (False, True):
            status, answer = local.request(hub.api, "PUT", "/zones/west", {
                "type": "Zone", "name": "west", "enabled": enabled})
            expect(status == 200, f"PUT zone: {status} {answer}")
            local.wait_for(f"east sees west: {enabled}", lambda e=enabled: sees_west() == e)
        expect(west.stop() == 0, "west did not end well")
        local.wait_for("west is offline", lambda: state_of(hub, "west")[0] == "Offline")
        expect(sees_west(), "a goodbye withdrew the services")
        status, answer = local.request(hub.api, "DELETE", "/zones/west")
        expect(status == 200, f"delete of a zone that is gone: {status} {answer}")
        expect(state_of(hub, "west") is None, "a deleted zone is still listed")
        expect(hub.get("/zoneingresses")["total"] == 0, "its ingress is still there")
        local.wait_for("the services are withdrawn", lambda: not sees_west())
        expect(stage.wait(hub, answer["revision"], "zones")["reached"], "no wait without it")
        west.start()
        local.wait_for("west is back", sees_west)
    expect(joins(east) == since, "east lost its session")
    return f"{turns} times disabled, enabled, deleted and made again"


@scenario(needs_envoy=False)
def one_name_two_zones(stage):
    """A second zone of one name is refused and shown; the first one is not touched."""
    hub = stage.mesh.start_global()
    first = stage.mesh.start_zone("east", hub)
    local.wait_for("the first is online", lambda: state_of(hub, "east") == ("Online", ""))
    second = stage.mesh.zone("double", hub, **{"zone.name": "east"})
    since, turns = joins(first), rounds(2, 20, 100)
    for turn in range(turns):
        second.start()
        state = local.wait_for("the conflict is shown", lambda: (
            lambda s: s if s[0] == "Conflict" else None)(state_of(hub, "east")))
        expect("another zone has this name" in state[1], f"overview: {state}")
        local.wait_for("the second says why", lambda: "another zone" in second.get(
            "/_status")["global"]["trouble"])
        expect(second.get("/_status")["global"]["state"] == "join",
               "the second was let in")
        stage.wait(hub, stage.put(hub, split({"v0": 1 + turn}))["revision"], "zones")
        expect(first.get("/_status")["global"]["state"] == "live" and
               joins(first) == since, "the first was touched")
        second.kill()
    return f"{turns} doubles refused"


@scenario(needs_envoy=False)
def wrong_writes_change_nothing(stage):
    """Writes in the wrong place, of another's, with a bad document: refused, no change."""
    hub, east, _, _ = two_zones(stage)
    route, before = split({"v0": 1}), hub.get("/")["revision"]
    many = [split({"v0": 1}, name=f"r-{i}", to=f"s-{i}") for i in range(1000)]
    many[999]["spec"]["to"][0]["targetRef"]["kind"] = "Nothing"
    dataplane = {"type": "Dataplane", "mesh": "default", "name": "x",
                 "networking": {"address": "127.0.0.1"}}
    for daemon, method, path, body, want in (
            (hub, "PUT", "/meshes/default/dataplanes/x", dataplane, 405),
            (hub, "DELETE", "/zoneingresses/ingress-west", None, 405),
            (hub, "DELETE", "/meshes/default", None, 409),
            (hub, "PUT", route_path("another-name"), route, 400),
            (hub, "POST", "/_apply", many, 400),
            (hub, "POST", "/_apply", [route, route], 400),
            (hub, "POST", "/_apply?nonsense=1", [route], 400),
            (hub, "GET", f"/_wait?revision={before + 1}", None, 404),
            (east, "PUT", "/meshes/other", {"type": "Mesh", "name": "other"}, 405),
            (east, "DELETE", route_path("route-1"), None, 405),
            (east, "PUT", "/meshes/default/dataplanes/web",
             east.get("/meshes/default/dataplanes/web"), 409)):
        status, answer = local.request(daemon.api, method, path, body)
        expect(status == want and answer["status"] == want and answer["detail"],
               f"{method} {path} at {daemon.name}: {status} {answer}, not {want}")
    expect(hub.get("/")["revision"] == before, "something was changed")


def listeners(envoy):
    """How many listeners an Envoy has that are in force."""
    return envoy.stats("listener_manager.total_listeners_active").get(
        "listener_manager.total_listeners_active", 0)


@scenario()
def zone_killed_again_and_again(stage):
    """kill -9 of the zone at any moment: its Envoy never has less configuration."""
    hub = stage.mesh.start_global()
    zone = stage.zone_with_backends("east", hub)
    stage.start_envoys(zone)
    stage.put_and_wait(hub, split({"v0": 50, "v1": 50}))
    web, kills = zone.envoys["web"], rounds(20, 200, 3000)
    want, least, stop = listeners(web), [99], threading.Event()

    def watch():
        while not stop.is_set():
            least[0] = min(least[0], listeners(web))

    watcher = threading.Thread(target=watch)
    watcher.start()
    dice = random.Random(11)
    for i in range(kills):
        stage.put(hub, split({"v0": 1 + i, "v1": 99}))
        time.sleep(dice.random() * 0.05)  # the moment is what varies
        zone.kill()
        zone.start(wait=False)
        if i % 3:  # else: killed while it starts
            zone.wait_ready()
        greeting = local.greet("127.0.0.1", zone.outbounds["backend"])
        expect(greeting.startswith("backend-v"), f"round {i}: answer {greeting!r}")
    zone.wait_ready()
    local.wait_for("all proxies are back", lambda: zone.get(
        "/_status")["proxies"]["total"] == len(zone.proxies))
    stage.put_and_wait(hub, split({"v0": 10, "v1": 90}))
    stop.set()
    watcher.join()
    expect(least[0] == want, f"Envoy had {least[0]} of {want} listeners")
    changed = web.stats("listener_manager.listener_(modified|removed)")
    expect(not any(changed.values()), f"listeners were changed: {changed}")
    stage.expect_split(zone, {"backend-v0": 0.1, "backend-v1": 0.9})
    return f"{kills} kills, never under {want} listeners"


@scenario()
def refused_by_envoy(stage):
    """What an Envoy refuses is named in status, zones, wait and apply; the rest works."""
    hub = stage.mesh.start_global()
    zone = stage.zone_with_backends("east", hub)
    stage.start_envoys(zone)
    stage.put_and_wait(hub, split({"v0": 50, "v1": 50}))
    document = zone.get("/meshes/default/dataplanes/web")
    good = json.dumps(document)
    document["networking"]["outbound"].append({
        "address": "203.0.113.7", "port": 4711, "tags": {"kuma.io/service": SERVICE}})
    stage.mesh.put_file(zone, "web.yaml", document)
    path = "/meshes/default/dataplanes/web/_xds"
    bad = local.wait_for("a refused resource is shown", lambda: [
        r for r in zone.get(path)["resources"] if r["state"] == "NACKED"])
    expect(len(bad) == 1 and "203.0.113.7" in bad[0]["error"], f"_xds: {bad}")
    explained = stage.mesh.ctl("explain", "web", server=zone)
    expect(f"Its Envoy refused {bad[0]['name']}, and keeps" in explained, explained)
    revision = stage.put(hub, split({"v0": 100}))["revision"]
    answer = hub.get(f"/_wait?revision={revision}&for=proxies&timeout=10s")
    east = answer["zones"][0]
    expect(not answer["reached"] and answer["nacked"] == 1, f"wait: {answer}")
    expect("203.0.113.7" in json.dumps(east["laggards"]), f"wait names no reason: {east}")
    expect(state_of(hub, "east")[0] == "Degraded", f"zones: {state_of(hub, 'east')}")
    stage.mesh.ctl("apply", "-f", "-", "--wait", "--timeout", "5s", server=hub, code=1,
                   stdin=json.dumps(split({"v1": 100})))
    local.wait_for("the good listeners go on", lambda: set(local.count_greetings(
        zone.outbounds["backend"], 20)) == {"backend-v1"})
    stage.mesh.put_file(zone, "web.yaml", good)
    local.wait_for("it has healed", lambda: state_of(hub, "east")[0] == "Online")
    stage.put_and_wait(hub, split({"v0": 50, "v1": 50}))


@scenario()
def dataplane_taken_away_and_put_back(stage):
    """An Envoy whose Dataplane is deleted keeps what it has, and goes on when it is back."""
    zone = stage.zone_with_backends("east", None)
    stage.start_envoys(zone)
    stage.put(zone, split({"v0": 100}))
    stage.expect_split(zone, {"backend-v0": 1.0}, total=50)
    document = zone.get("/meshes/default/dataplanes/web")
    stage.mesh.remove_file(zone, "web.yaml")
    local.wait_for("web is gone", lambda: local.request(
        zone.api, "GET", "/meshes/default/dataplanes/web")[0] == 404)
    stage.put(zone, split({"v1": 100}))
    stage.expect_split(zone, {"backend-v0": 1.0}, total=200)
    stage.mesh.put_file(zone, "web.yaml", document)
    local.wait_for("the change arrives", lambda: set(local.count_greetings(
        zone.outbounds["backend"], 20)) == {"backend-v1"})
    modified = zone.envoys["web"].stats("listener_manager.listener_(modified|removed)")
    expect(not any(modified.values()), f"listeners were changed: {modified}")


@scenario()
def one_name_in_two_meshes(stage):
    """Proxies of one name in two meshes, and one that connects before its Dataplane is."""
    zone = stage.mesh.start_zone("east")
    status, answer = local.request(zone.api, "PUT", "/meshes/other",
                                   {"type": "Mesh", "name": "other"})
    expect(status == 201, f"PUT mesh: {status} {answer}")
    stage.add_dataplanes(zone, ("v0",))
    first = dict(zone.outbounds)
    stage.start_envoys(zone)
    docs = {}
    for name, tags in (("backend-v0", {"version": "v0"}), ("web", {})):
        document = zone.get(f"/meshes/default/dataplanes/{name}")
        document["mesh"] = "other"
        for inbound in document["networking"]["inbound"]:
            inbound["port"] = local.free_port()
            if tags:
                inbound["servicePort"] = stage.mesh.echo.start("other-v0")
        for outbound in document["networking"].get("outbound", []):
            outbound["port"] = local.free_port()
            zone.outbounds[outbound["tags"]["kuma.io/service"]] = outbound["port"]
        document.pop("labels")
        docs[name] = document
        stage.mesh.put_file(zone, f"other-{name}.yaml", document)
        local.wait_for(f"{name} of other", lambda n=name: local.request(
            zone.api, "GET", f"/meshes/other/dataplanes/{n}")[0] == 200)
    envoys = {name: local.Envoy(stage.mesh, zone, name, mesh_name="other")
              for name in docs}
    for name, envoy in envoys.items():
        local.wait_for(f"{name} of other is live", envoy.live)
    stage.expect_split(zone, {"other-v0": 1.0}, SERVICE, 50)
    zone.outbounds = first
    stage.expect_split(zone, {"backend-v0": 1.0}, SERVICE, 50)


def start_to_be_killed(daemon, moment):
    """Start a daemon that is killed before or after one of its system calls (tests/crash/
    syscalls.c), 0: never. It is ready, or dead."""
    counted = daemon.mesh.path("moments")
    ours = {"ZL_PROGRAM": daemon.program, "ZL_MOMENT": str(moment), "ZL_MOMENTS": counted}
    daemon.program = "crash-syscalls"
    os.environ.update(ours)
    try:
        daemon.start(wait=False)
    finally:
        daemon.program = ours["ZL_PROGRAM"]
        for name in ours:
            del os.environ[name]
    ready = daemon.mesh.path(f"{daemon.name}.ready")
    local.wait_for(f"{daemon.name} is ready or dead", lambda: os.path.exists(ready)
                   or not daemon.process.alive())


def moments(daemon):
    """How many moments there were until the last one ended."""
    with open(daemon.mesh.path("moments"), encoding="ascii") as file:
        return int(file.read())


def write_some(hub, acked, turn):
    """Five writes, or as many as global lives to see; those it acknowledged are noted."""
    for i in range(5):
        name, weight = f"w{i}", 1 + turn
        try:
            status, _ = local.request(hub.api, "PUT", route_path(name),
                                      split({"v0": weight}, name=name, to=name))
        except (OSError, http.client.HTTPException):
            return acked.pop(name, None)  # unknown: either content is right
        expect(status in (200, 201, 503), f"PUT: {status}")
        if status != 503:
            acked[name] = weight
    return None


def live_until(victim, moment, hub, acked, turn):
    """Let a daemon start, see some writes, and end, if it was not killed before."""
    expect(victim.stop() == 0, f"{victim.name} did not end well")
    start_to_be_killed(victim, moment)
    write_some(hub, acked, turn)
    victim.process.end()
    return moments(victim)


@scenario()
def killed_at_a_system_call(stage):
    """F2, F3: kill -9 of global and of a zone before and after each of their system calls:
    no acknowledged write is lost, no proxy has less than before."""
    hub = stage.mesh.start_global()
    zone = stage.zone_with_backends("east", hub)
    stage.start_envoys(zone)
    stage.put_and_wait(hub, split({"v0": 50, "v1": 50}))
    want, acked, turn, told = listeners(zone.envoys["web"]), {}, 0, []
    for victim in (hub, zone):
        there = live_until(victim, 0, hub, acked, turn)
        if there == 0:
            return "not done: this machine does not let programs be traced"
        victim.start()
        count, killed = rounds(10, 100, there), 0
        for i in range(count):
            turn, moment = turn + 1, 1 + i * there // count
            killed += live_until(victim, moment, hub, acked, turn) >= moment
            greeting = local.greet("127.0.0.1", zone.outbounds["backend"])
            expect(greeting.startswith("backend-v"), f"answer {greeting!r}")
            victim.start()
            stage.put(hub, split({"v0": turn, "v1": 1}))
            local.wait_for("the zone has it", lambda w=turn: weight_of(
                zone, "route-1") == w)
            for name, weight in acked.items():
                for daemon in (hub, zone):
                    expect(weight_of(daemon, name) >= weight,
                           f"moment {moment}: {daemon.name} lost {name}")
            expect(listeners(zone.envoys["web"]) == want, "listeners are gone")
        # No two lives are the same: what was shorter than its moment ended by itself.
        expect(killed > count // 2, f"{victim.name} was killed {killed} times only")
        told.append(f"{victim.name} killed at {killed} of {there} moments")
    changed = zone.envoys["web"].stats("listener_manager.listener_(modified|removed)")
    expect(not any(changed.values()), f"listeners were changed: {changed}")
    return ", ".join(told)

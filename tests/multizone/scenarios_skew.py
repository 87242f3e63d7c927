"""Releases and clocks that differ: what is not understood is kept, what the clocks say
decides nothing."""
import os
import random
import time

import local
import network
from scenarios_network import Watch
from story import expect, rounds, scenario, split


def link(zone):
    """What a zone says of its link to global."""
    return zone.get("/_status")["global"]


def overview(hub, name):
    """What global says of a zone."""
    return next((zone for zone in hub.get("/zones/_overview")["items"]
                 if zone["name"] == name), {})


def wait_same(hub, zones, seconds=10):
    """Until all zones are live, where global is, with one digest."""
    def same():
        head = hub.get("/")["revision"]
        links = [link(zone) for zone in zones]
        return all(one["state"] == "live" and one["durableRevision"] == head
                   and one["digest"] == links[0]["digest"] for one in links)

    local.wait_for("zones are where global is", same, seconds)


def answered_by(zone):
    """Which backend a connection through the Envoy of web reaches."""
    return local.greet("127.0.0.1", zone.outbounds["backend"])


def make_newer(stage, store, *names):
    """Put into a store what a newer release would have: kinds, and in these resources
    fields (tests/crash/newer.c)."""
    done = local.Process([os.path.join(stage.mesh.bin, "newer-release"), store, *names],
                         stage.mesh.path("newer.log"))
    expect(done.child.wait(10) == 0, done.tail())


@scenario()
def newer_release(stage):
    """F38: kinds and fields of a newer release are kept, said, and hurt nothing else."""
    hub = stage.mesh.start_global()
    east = stage.zone_with_backends("east", hub)
    west = stage.mesh.start_zone("west", hub)
    stage.start_envoys(east)
    stage.put_and_wait(hub, split({"v0": 1}))
    stage.put_and_wait(hub, split({"v0": 1}, name="other", to="nobody"))
    expect("notUnderstood" not in link(east), "all was understood so far")

    expect(hub.stop() == 0, "global did not end well")
    make_newer(stage, os.path.join(hub.settings["data_dir"], "store"), "route-1")
    hub.start()
    wait_same(hub, (east, west))
    for _ in range(rounds(1, 5, 20)):
        expect(link(east)["notUnderstood"] == 3, f"not said: {link(east)}")
        local.wait_for("global knows", lambda: "not understood" in
                       overview(hub, "east").get("error", ""))
        expect(answered_by(east) == "backend-v0", "traffic changed")
        revision = stage.put(hub, split({"v1": 1}, name="other", to="nobody"))["revision"]
        stage.wait(hub, revision)
        expect(east.stop() == 0, "east did not end well")
        east.start()
        west.kill()
        west.start()
        wait_same(hub, (east, west))
    # What takes the place of a document with a new field is understood again.
    stage.put_and_wait(hub, split({"v1": 1}))
    local.wait_for("the new route has its effect",
                   lambda: answered_by(east) == "backend-v1")
    expect(link(east)["notUnderstood"] == 3, f"{link(east)}")
    wait_same(hub, (east, west))
    return "3 resources of an unknown kind, one with an unknown field"


ROUTES = "/meshes/default/meshtcproutes"


def put(zone, path, document):
    """PUT a document in its zone."""
    status, answer = local.request(zone.api, "PUT", f"{path}/{document['name']}", document)
    expect(status in (200, 201), f"PUT {document['name']} in {zone.name}: {status} {answer}")


def own_route(name, weights, **options):
    """A route as a zone writes it."""
    return {**split(weights, name=name, **options), "labels": {"kuma.io/origin": "zone"}}


def gate(port):
    """The ZoneIngress of the zone."""
    return {"type": "ZoneIngress", "name": "gate", "networking": {
        "address": "127.0.0.1", "port": port,
        "advertisedAddress": "127.0.0.1", "advertisedPort": port}}


def wait_refused(hub, names):
    """Until global says of exactly these of east's resources that it does not take them."""
    def is_so():
        east = overview(hub, "east")
        return (sorted(one["kri"] for one in east.get("refused", [])) == sorted(names)
                and east["state"] == ("Degraded" if names else "Online"))

    local.wait_for(f"refused of east are {names}", is_so, 30)


def restart(zone, program, by_kill=False):
    """Another release of the zone's program, with its data."""
    if by_kill:
        zone.kill()
    else:
        expect(zone.stop() == 0, f"{zone.name} did not end well")
    zone.program = program
    zone.start()


def said(daemon, text):
    """How often its log, of all its starts, has a line with this text."""
    with open(daemon.process.log, encoding="utf-8") as file:
        return file.read().count(text)


FIELDS = ["kri_mtcpr_default_east__grown_", "kri_zi__east__gate_"]
KINDS = [f"kind 200:default east  new-{i}" for i in range(3)]


@scenario()
def newer_zone(stage):
    """F38: what a newer zone says more is refused by name, the rest counts; and back."""
    hub = stage.mesh.start_global()
    east = stage.zone_with_backends("east", hub)
    west = stage.mesh.start_zone("west", hub)
    stage.start_envoys(east)
    stage.put_and_wait(hub, split({"v0": 1}))
    put(east, "/zoneingresses", gate(7001))
    put(east, ROUTES, own_route("grown", {"v1": 1}))
    put(east, ROUTES, own_route("plain", {"v0": 1}, to="nobody"))
    local.wait_for("global and west have what east wrote", lambda: hub.get(
        ROUTES)["total"] == 3 and west.get("/zoneingresses")["total"] == 1)
    wait_refused(hub, [])
    before = hub.get(f"{ROUTES}/grown"), west.get("/zoneingresses")

    expect(east.stop() == 0, "east did not end well")
    make_newer(stage, os.path.join(east.settings["data_dir"], "local"), "grown", "gate")
    east.program = "newer-zone"
    east.start()
    for i in range(rounds(1, 5, 20)):
        # The newer zone, and this global.
        wait_refused(hub, FIELDS + KINDS)
        wait_same(hub, (east, west))
        expect(overview(hub, "east")["version"] == "99.0.0", f"{overview(hub, 'east')}")
        expect((hub.get(f"{ROUTES}/grown"), west.get("/zoneingresses")) == before,
               "what was refused is not as it was before")
        local.wait_for("global says what it does not understand", lambda often=i: said(
            hub, "a request is not understood by this release") > often)
        local.wait_for("the newer route counts in its zone",
                       lambda: answered_by(east) == "backend-v1")
        put(east, ROUTES, own_route("plain", {"v0": 2 + i, "v1": 1}, to="nobody"))
        local.wait_for("global has what is understood", lambda want=2 + i: hub.get(
            f"{ROUTES}/plain")["spec"]["to"][0]["rules"][0]["default"]["backendRefs"][0][
                "weight"] == want)
        stage.put_and_wait(hub, split({"v0": 2 + i, "v1": 1}, name="other", to="nobody"))
        put(east, ROUTES, own_route("one-less", {"v0": 1}, to="nobody"))
        wait_refused(hub, FIELDS + KINDS[:2])

        # This release again, with the data of the newer one.
        restart(east, "zonelink-zone", by_kill=i % 2 == 1)
        wait_refused(hub, FIELDS)
        wait_same(hub, (east, west))
        expect(said(east, "a stored resource is not understood") == (i + 1) * len(KINDS),
               "east does not say what of its store it does not understand")
        expect("aNewField" in east.get(f"{ROUTES}/grown")["spec"], "a field was lost")
        local.wait_for("the known part of the route counts",
                       lambda: answered_by(east) == "backend-v1")
        local.request(east.api, "DELETE", f"{ROUTES}/one-less")
        hub.kill()
        hub.start()
        restart(east, "newer-zone", by_kill=i % 2 == 1)

    restart(east, "zonelink-zone")
    put(east, "/zoneingresses", gate(7002))
    put(east, ROUTES, own_route("grown", {"v0": 1}))
    local.wait_for("west has the ingress as it is now", lambda: west.get("/zoneingresses")[
        "items"][0]["networking"]["advertisedPort"] == 7002)
    local.wait_for("the route has its effect", lambda: answered_by(east) == "backend-v0")
    wait_refused(hub, [])
    wait_same(hub, (east, west))
    return f"{rounds(1, 5, 20)} times to the newer release and back"


class Clock:
    """The wall clock of one daemon, which is as wrong as it is told
    (tests/crash/faultclock.c)."""

    def __init__(self, mesh, name):
        self.path = mesh.path(f"{name}.clock")
        self.library = os.path.join(os.path.dirname(mesh.bin), "lib", "libfaultclock.so")

    def start(self, start, *args, **options):
        """Call start, whose programs have this clock."""
        ours = {"LD_PRELOAD": self.library, "ZL_CLOCK_FAULT": self.path,
                "ASAN_OPTIONS": "verify_asan_link_order=0"}
        os.environ.update(ours)
        try:
            return start(*args, **options)
        finally:
            for name in ours:
                del os.environ[name]

    def jump(self, seconds):
        """It is so many seconds ahead from now on."""
        with open(self.path + ".new", "w", encoding="ascii") as file:
            file.write(str(seconds))
        os.rename(self.path + ".new", self.path)


HOUR, YEARS = 3600, 10 * 365 * 24 * 3600
# Seconds, and whether who connects anew is let in meanwhile: certificates are valid for 30
# days, from some time before they were made.
JUMPS = ((HOUR, True), (-HOUR, None), (1, True), (-1, True), (600, True), (-600, None),
         (YEARS, False), (-YEARS, False))


@scenario()
def clocks_jump(stage):
    """F19: wall clocks of global, of a zone, of both jump: nothing ends, nothing is lost."""
    clocks = [Clock(stage.mesh, "global"), Clock(stage.mesh, "east")]
    hub = clocks[0].start(stage.mesh.start_global)
    proxy = network.FaultProxy(hub.ready["sync"][0])
    east = clocks[1].start(stage.zone_with_backends, "east", hub,
                           **{"global.sync": proxy.address})
    east.paused = False
    west = stage.mesh.start_zone("west", hub)
    stage.start_envoys(east)
    stage.put_and_wait(hub, split({"v0": 1}))
    dice, count, longest = random.Random(5), 0, 0.0
    with Watch(east) as watch:
        for _ in range(rounds(1, 8, 38)):
            for seconds, is_let_in in JUMPS:
                whose = dice.choice(([clocks[0]], [clocks[1]], clocks))
                for clock in whose:
                    clock.jump(seconds)
                begin = time.monotonic()
                stage.put(hub, split({"v0": dice.randrange(1, 100), "v1": 1}))
                wait_same(hub, (east, west), 6)  # by the connections that are there
                longest = max(longest, time.monotonic() - begin)
                if is_let_in:
                    proxy.cut()
                    cut = time.monotonic()
                    stage.put(hub, split({"v0": dice.randrange(1, 100), "v1": 1}))
                    wait_same(hub, (east, west), 6)
                    local.wait_for("both connections are there", lambda at=cut:
                                   link(east)["lastBeatMs"] < 1000 * (time.monotonic() - at))
                for clock in whose:
                    clock.jump(0)
                begin = time.monotonic()
                wait_same(hub, (east, west), 6)
                longest = max(longest, time.monotonic() - begin)
                count += 1
    return (f"{count} jumps, zones where global is within {1000 * longest:.0f} ms; "
            f"0 of {watch.answers} connections failed")

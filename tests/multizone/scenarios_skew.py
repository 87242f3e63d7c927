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
    done = local.Process([os.path.join(stage.mesh.bin, "newer-release"),
                          os.path.join(hub.settings["data_dir"], "store")],
                         stage.mesh.path("newer.log"))
    expect(done.child.wait(10) == 0, done.tail())
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

"""What fails across zones: a zone that is disabled, cut off or dead, an ingress, a control
plane, global, and what connections see of it."""
import os
import time

import local
from cross_routes import expect_shares, part, route, wait_for_zones
from story import expect, rounds, world_scenario
from world import STALE_AFTER


def leave_to_others(world, zone):
    """Take a zone's own backends away: its clients need those of the others."""
    for version in ("v0", "v1"):
        away = world.dataplane(f"{zone}-backend-{version}")
        for inbound in away["networking"]["inbound"]:
            inbound["state"] = "NotReady"
        world.register(zone, away)
    wait_for_zones(world, zone, "backend", {"west", "apac"})


def condition(world, zone):
    """How global sees a zone: Online, Stale or Offline."""
    return next(item["condition"] for item in
                world.get("global", "/zones/_overview")["items"] if item["name"] == zone)


@world_scenario()
def cross_disabled(world):
    """A disabled zone is withdrawn at once: its share is closed, or left to the others."""
    total = rounds(1000, 20000, 20000)
    world.apply(route((part("east"), 80), ({"kind": "MeshService", "name": "only"}, 20)))
    expect_shares(world.connections("east", "backend", total),
                  {"east": 0.8, "west": 0.2}, total, "both zones")
    world.ctl("zone", "disable", "west")
    local.wait_for("west gets nothing", lambda: "west" not in world.connections(
        "east", "backend", 50).by_zone())
    counts = world.connections("east", "backend", total)
    expect(set(counts.by_zone()) == {"east"} and local.inside_binomial(
        counts.failures, total, 0.2), f"Blackhole: not 20 % closed: {counts}")
    mesh = world.get("global", "/meshes/default")
    world.apply({"type": "Mesh", "name": "default", "mtls": mesh["mtls"],
                 "routing": {"unresolvedBackends": "Renormalise"}})
    counts = world.connections("east", "backend", 200)
    expect(dict(counts.by_zone()) == {"east": 200}, f"Renormalise: {counts}")
    world.ctl("zone", "enable", "west")
    wait_for_zones(world, "east", "backend", {"east", "west"})
    return "20 % closed, then all to east, then both"


@world_scenario()
def cross_cut_off(world):
    """The WAN of a zone vanishes: others leave it within staleAfter + 1 s where they have
    another place to go; within itself it goes on; mended, all is as before."""
    leave_to_others(world, "east")
    revision = world.get("global", "/")["revision"]
    with world.load("east", "backend", parallel=16, rate=100) as load:
        cut = load.counts().seconds
        world.cut_wan("west")
        time.sleep(STALE_AFTER + 1 + rounds(2, 10, 30))
        total = load.stop()
    last = (total.last_failed or cut) - cut
    expect(last <= STALE_AFTER + 1, f"a connection begun {last:.1f} s after the cut failed")
    expect(total.failures, "no connection was under way to west")
    wait_for_zones(world, "east", "backend", {"apac"}, 0)
    expect(condition(world, "west") != "Online", "west is still Online for global")
    expect(condition(world, "apac") == "Online", "a healthy zone was demoted")
    expect(world.connections("west", "backend", 100).by_zone()["west"] == 100,
           "west does not go on by itself")
    world.apply(route((part("apac"), 1), to="only", name="meanwhile"), wait=None)
    world.mend_wan("west")
    world.wait_in_sync()
    wait_for_zones(world, "east", "backend", {"west", "apac"})
    expect(world.get("west-cp", "/")["revision"] > revision, "west missed a change")
    return (f"{total.failures} of {sum(total.values())} connections failed, the last begun "
            f"{last:.1f} s after the cut")


@world_scenario()
def cross_ingress_killed(world):
    """An ingress dies: its zone's share goes to the other zone, and back when it is back."""
    leave_to_others(world, "east")
    with world.load("east", "backend", rate=200) as load:
        begin = time.monotonic()
        world.kill("west-ingress")
        wait_for_zones(world, "east", "backend", {"apac"}, STALE_AFTER + 15)
        took, failed = time.monotonic() - begin, load.counts().failures
        world.start("west-ingress")
        wait_for_zones(world, "east", "backend", {"west", "apac"})
        total = load.stop()
    return (f"{failed} of {sum(total.values())} connections failed, for {took:.1f} s; "
            f"{total.failures - failed} on the way back")


@world_scenario()
def cross_control_planes_killed(world):
    """Control planes of client and server zone die under load: traffic goes on."""
    world.apply(route((part("east"), 50), (part("west"), 50)))
    with world.hold("east", "backend", rounds(100, 1000, 1000)) as held, \
            world.load("east", "backend", rate=200) as load:
        world.kill("east-cp", "west-cp")
        local.wait_for("global misses west", lambda: condition(world, "west") != "Online")
        during = load.counts()
        world.start("east-cp", "west-cp")
        world.wait_in_sync()
        world.apply(route((part("east"), 10), (part("west"), 90)))
        total = load.stop()
        cut = held.cut()
    expect(during.failures == 0, f"while they were away: {during}")
    expect(total.failures == 0 and cut == 0, f"{total}; {cut} of {held.count} cut")
    counts = world.connections("east", "backend", 1000)
    expect_shares(counts, {"east": 0.1, "west": 0.9}, 1000, "after they came back")
    return f"0 of {sum(total.values())} failed, 0 of {held.count} cut"


@world_scenario()
def cross_global_away(world):
    """Global dies and comes back from an old backup: no zone is demoted, no connection
    fails, and what the backup says holds."""
    world.apply(route((part("east"), 50), (part("west"), 50)))
    snapshot = world.path("old.snapshot")
    world.ctl("snapshot", "save", snapshot)
    world.apply(route((part("apac"), 1)))
    with world.load("east", "backend", rate=200) as load:
        world.kill("global")
        time.sleep(STALE_AFTER + 2)  # a silent global is not a silent zone
        away = load.counts()
        world.restore_global(snapshot)
        world.wait_in_sync()
        wait_for_zones(world, "east", "backend", {"east", "west"})
        total = load.stop()
    os.unlink(snapshot)
    expect(away.failures == 0, f"while global was away: {away}")
    expect(total.failures == 0, f"until the restored one was followed: {total}")
    counts = world.connections("apac", "backend", 1000)
    expect_shares(counts, {"east": 0.5, "west": 0.5}, 1000, "the split of the backup")
    return f"0 of {sum(total.values())} failed; the backup's split holds"

"""Traffic that leaves a zone by its egress, and what is tried first, zone by zone."""
import local
from cross_faults import leave_to_others
from cross_routes import part, route, wait_for_zones
from cross_trust import mesh_of
from story import expect, rounds, world_scenario
from world_documents import ECHO, WAN


def by_egress(world):
    """The mesh sends what leaves a zone through its egress."""
    world.apply({**mesh_of("ca-1", "ca-1"), "routing": {"zoneEgress": True}})


@world_scenario()
def cross_egress(world):
    """With routing.zoneEgress what leaves a zone goes by its egress, and nothing goes
    around it when that is dead; what stays in the zone does not need it."""
    outside = world.address("apac-web", WAN)
    world.start("east-egress")
    by_egress(world)
    world.apply(route(({"kind": "MeshService", "name": "only"}, 1)),
                {"type": "ExternalService", "name": "external", "mesh": "default",
                 "tags": {"kuma.io/service": "external", "kuma.io/protocol": "tcp"},
                 "networking": {"address": f"{outside}:{ECHO}"}})
    wait_for_zones(world, "east", "backend", {"west"})
    wait_for_zones(world, "east", "external", {"apac"})
    crossed = world.stats("east-egress", "listener.*downstream_cx_total")
    expect(sum(crossed.values()) >= 40, f"it did not go by the egress: {crossed}")
    world.kill("east-egress")
    for outbound in ("backend", "external"):
        local.wait_for(f"{outbound} fails", lambda o=outbound: world.connections(
            "east", o, 20).failures == 20)
    world.start("east-egress")
    wait_for_zones(world, "east", "backend", {"west"})
    wait_for_zones(world, "east", "external", {"apac"})
    return f"{sum(crossed.values())} connections by the egress, 0 around it while it was dead"


def strategy(zones, name="near"):
    """Remote zones in this order, and no other."""
    return {"type": "MeshLoadBalancingStrategy", "name": name, "mesh": "default", "spec": {
        "to": [{"targetRef": {"kind": "MeshService", "name": "backend"}, "default": {
            "localityAwareness": {"crossZone": {"failover": [
                {"to": {"type": "Only", "zones": [zone]}} for zone in zones]}}}}]}}


@world_scenario()
def cross_order(world):
    """A MeshLoadBalancingStrategy says which zone comes first: apac, then west; and that a
    zone keeps its traffic."""
    leave_to_others(world, "east")
    world.apply(strategy(["apac", "west"]))
    wait_for_zones(world, "east", "backend", {"apac"})
    for version in ("v0", "v1"):
        away = world.dataplane(f"apac-backend-{version}")
        for inbound in away["networking"]["inbound"]:
            inbound["state"] = "NotReady"
        world.register("apac", away)
    wait_for_zones(world, "east", "backend", {"west"})
    world.apply(strategy(["apac"]))
    local.wait_for("nothing is left", lambda: world.connections(
        "east", "backend", 20).failures == 20)
    expect(world.connections("west", "backend", 20).by_zone()["west"] == 20,
           "the zone's own do not need the policy")
    world.apply(strategy(["west"]))
    wait_for_zones(world, "east", "backend", {"west"})
    return "apac, west when apac has none, none where none may be"


@world_scenario()
def cross_affinity(world):
    """Affinity tags: the same rack first, by weight."""
    world.apply({"type": "MeshLoadBalancingStrategy", "name": "rack", "mesh": "default",
                 "spec": {"to": [{
                     "targetRef": {"kind": "MeshService", "name": "backend"},
                     "default": {"localityAwareness": {"localZone": {"affinityTags": [
                         {"key": "version", "weight": 9}]}}}}]}})
    client = world.dataplane("east-web")
    client["networking"]["inbound"][0]["tags"]["version"] = "v1"
    world.register("east", client)
    total = 1000

    def fits():
        counts = world.connections("east", "backend", total)
        return counts.failures == 0 and not local.misses(
            counts, total, {"east/backend/v1": 0.9, "east/backend/v0": 0.1}) and counts
    counts = local.wait_for("9 of 10 stay in the rack", fits)
    expect(set(counts.by_zone()) == {"east"}, f"localZone alone keeps the traffic: {counts}")
    return f"{dict(counts)}"


@world_scenario()
def cross_split_by_egress(world):
    """A split across zones is exact through an egress too."""
    world.start("east-egress")
    by_egress(world)
    world.apply(route((part("west"), 60), (part("apac"), 40)))
    wait_for_zones(world, "east", "backend", {"west", "apac"})
    total = rounds(1000, 20000, 20000)
    counts = world.connections("east", "backend", total)
    expect(counts.failures == 0 and not local.misses(
        counts.by_zone(), total, {"west": 0.6, "apac": 0.4}), f"{counts}")
    return f"{dict(counts.by_zone())} of {total}"

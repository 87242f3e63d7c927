"""Routes that lead across zones: splits, subsets, requests, gateways, failover."""
import base64

import local
from scenarios_routes import Authority
from story import expect, rounds, world_scenario
from world_documents import INBOUND


def part(zone, version=None, service="backend"):
    """A target: the instances of a service in one zone, or one version of them."""
    tags = {"kuma.io/zone": zone, **({"version": version} if version else {})}
    return {"kind": "MeshServiceSubset", "name": service, "tags": tags}


def route(*refs, to="backend", name="across", top=None):
    """A MeshTCPRoute; refs are pairs of a target and a weight."""
    target = {"kind": "MeshService", "name": to} if to else {"kind": "Mesh"}
    spec = {"to": [{"targetRef": target, "rules": [{"default": {"backendRefs": [
        {**ref, "weight": weight} for ref, weight in refs]}}]}]}
    if top:
        spec["targetRef"] = top
    return {"type": "MeshTCPRoute", "name": name, "mesh": "default", "spec": spec}


def expect_shares(counts, shares, total, what):
    """What a client saw lies in the 99.9 % interval of each zone's share."""
    seen = counts.by_zone()
    expect(counts.failures == 0, f"{what}: connections failed: {counts}")
    expect(not local.misses(seen, total, shares) and set(seen) <= set(shares),
           f"{what}: {total} connections, configured {shares}: {counts}")


def wait_for_zones(world, zone, outbound, zones, seconds=60):
    """Wait until these zones, and no others, answer a zone's clients."""
    def answered():
        counts = world.connections(zone, outbound, 20 * len(zones))
        return not counts.failures and set(counts.by_zone()) == set(zones)
    local.wait_for(f"{outbound} in {zone} is answered by {zones}", answered, seconds)


@world_scenario()
def cross_split(world):
    """90/10 over two zones, seen from both and from a third."""
    total, shown = rounds(1000, 20000, 20000), []
    world.apply(route((part("east"), 90), (part("west"), 10)))
    for zone in ("east", "west", "apac"):
        counts = world.connections(zone, "backend", total)
        expect_shares(counts, {"east": 0.9, "west": 0.1}, total, zone)
        shown.append(f"{zone} {100 * counts.by_zone()['west'] / total:.1f} %")
    return f"10 % to west, seen by {total} each: {', '.join(shown)}"


@world_scenario()
def cross_redirect(world):
    """All of a service goes to one that only another zone has."""
    total = rounds(200, 2000, 2000)
    world.apply(route(({"kind": "MeshService", "name": "only"}, 1)))
    for zone in ("east", "west"):
        counts = world.connections(zone, "backend", total)
        expect(dict(counts) == {"west/only/v0": total}, f"{zone}: {counts}")
    return f"{total} of {total} to west/only, from east and from west"


@world_scenario()
def cross_subset(world):
    """Versions in other zones, which their ingresses know by the server name."""
    total = rounds(1000, 20000, 20000)
    world.apply(route((part("west", "v1"), 70), (part("apac", "v0"), 30)))
    counts = world.connections("east", "backend", total)
    expect_shares(counts, {"west": 0.7, "apac": 0.3}, total, "east")
    expect(set(counts) == {"west/backend/v1", "apac/backend/v0"}, f"others: {counts}")
    return f"{dict(counts)}"


@world_scenario()
def cross_requests(world):
    """A MeshHTTPRoute beside a MeshTCPRoute: requests and connections, each its own way."""
    total = rounds(1000, 20000, 20000)
    refs = [{**part(zone, service="backend-http"), "weight": weight}
            for zone, weight in (("apac", 80), ("west", 20))]
    world.apply(route((part("west"), 1)), {
        "type": "MeshHTTPRoute", "name": "requests", "mesh": "default", "spec": {"to": [{
            "targetRef": {"kind": "MeshService", "name": "backend-http"},
            "rules": [{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                       "default": {"backendRefs": refs}}]}]}})
    counts = world.connections("east", "backend-http", total)
    expect_shares(counts, {"apac": 0.8, "west": 0.2}, total, "requests")
    expect_shares(world.connections("east", "backend", 200), {"west": 1.0}, 200, "others")
    return f"requests {dict(counts.by_zone())}, connections all to west"


def multi_zone(world, *zones):
    """A MeshService of these zones' backends, and the MeshMultiZoneService of them all."""
    port = {"port": INBOUND, "name": "main", "appProtocol": "tcp"}
    for zone in zones:
        world.apply({"type": "MeshService", "name": "backend-own", "mesh": "default",
                     "labels": {"app": "backend"}, "spec": {
                         "selector": {"dataplaneTags": {"kuma.io/service": "backend"}},
                         "ports": [{**port, "targetPort": INBOUND}]}}, zone=zone)
    world.apply({"type": "MeshMultiZoneService", "name": "backend-all", "mesh": "default",
                 "spec": {"selector": {"meshService": {"matchLabels": {"app": "backend"}}},
                          "ports": [port]}})


@world_scenario()
def cross_failover(world):
    """A MeshMultiZoneService: the own zone first, another while it has no instance."""
    multi_zone(world, "east", "west")
    wait_for_zones(world, "east", "multi", {"east"})
    wait_for_zones(world, "apac", "multi", {"east", "west"})
    for version in ("v0", "v1"):
        away = world.dataplane(f"east-backend-{version}")
        away["networking"]["inbound"][0]["state"] = "NotReady"
        world.register("east", away)
    wait_for_zones(world, "east", "multi", {"west"})
    wait_for_zones(world, "apac", "multi", {"west"})
    for version in ("v0", "v1"):
        world.register("east", world.dataplane(f"east-backend-{version}"))
    wait_for_zones(world, "east", "multi", {"east"})
    return "east, west while east has none Ready, east again"


def secret(name, *paths):
    """A Secret with the content of these files."""
    content = b""
    for path in paths:
        with open(path, "rb") as file:
            content += file.read()
    return {"type": "Secret", "name": name, "mesh": "default",
            "data": base64.b64encode(content).decode()}


@world_scenario()
def cross_gateway(world):
    """A gateway in east whose listeners lead to west: TCP, and TLS that it ends."""
    total = rounds(300, 20000, 20000)
    world.start("east-gateway")  # it has nothing to do yet, and holds nobody up
    world.apply(
        secret("edge-cert", *Authority(world, "edge-ca").issue("a.example.org")),
        {"type": "MeshGateway", "name": "edge", "mesh": "default",
         "selectors": [{"match": {"kuma.io/service": "gateway"}}],
         "conf": {"listeners": [
             {"port": 9080, "protocol": "TCP", "tags": {"way": "plain"}},
             {"port": 9443, "protocol": "TLS", "hostname": "a.example.org",
              "tags": {"way": "ends"}, "tls": {"mode": "TERMINATE", "certificates": [
                  {"secret": "edge-cert"}]}}]}},
        route((part("west"), 80), (part("apac"), 20), to=None, name="plain",
              top={"kind": "MeshGateway", "name": "edge", "tags": {"way": "plain"}}),
        route((part("west", "v1"), 1), to=None, name="ends",
              top={"kind": "MeshGateway", "name": "edge", "tags": {"way": "ends"}}))
    address = world.address("east-gateway")
    counts = world.connect("east-web", address, 9080, total)
    expect_shares(counts, {"west": 0.8, "apac": 0.2}, total, "TCP")
    by_tls = world.connect("east-web", address, 9443, 50, 8, "--tls", "a.example.org")
    expect(dict(by_tls) == {"west/backend/v1": 50}, f"TLS: {by_tls}")
    return f"TCP {dict(counts.by_zone())}, TLS {dict(by_tls)}"

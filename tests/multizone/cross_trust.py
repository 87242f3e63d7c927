"""Identities across zones: certificates that change, strangers that are refused, IPv6."""
import time

import local
import world_documents as documents
from cross_routes import expect_shares, part, route, wait_for_zones
from story import expect, rounds, world_scenario
from world import DRAIN
from world_documents import INBOUND, INGRESS, WAN


def mesh_of(enabled, *names, **cert):
    """The mesh with these authorities; cert: how long a certificate lives."""
    return {"type": "Mesh", "name": "default", "mtls": {
        "enabledBackend": enabled, "backends": [
            {"name": name, "type": "builtin", **cert} for name in names]}}


@world_scenario()
def cross_strangers(world):
    """Who is none of the mesh is refused, at servers and through ingresses: plain text, no
    certificate, a server name that nobody has; and a client does not take just anybody."""
    backend, ingress = world.address("east-backend-v0"), world.address("west-ingress", WAN)
    plain = world.connect("east-web", backend, INBOUND, 20)
    expect(plain.failures == 20, f"plain text at a STRICT server: {plain}")
    sni = "backend{mesh=default}"
    for host, address, port in (("a server", backend, INBOUND),
                                ("an ingress", ingress, INGRESS)):
        counts = world.connect("east-web", address, port, 20, 4, "--tls", sni,
                               "--alpn", "kuma")
        expect(counts.failures == 20, f"TLS without a certificate at {host}: {counts}")
    plain = world.connect("east-web", ingress, INGRESS, 20)
    expect(plain.failures == 20, f"plain text at an ingress: {plain}")
    expect(world.certificate("east-web", ingress, INGRESS, "--tls", sni, "--alpn", "kuma"),
           "the ingress does not lead to a server")
    expect(world.certificate("east-web", ingress, INGRESS, "--tls", "other{mesh=default}",
                             "--alpn", "kuma") is None, "a server for a name of nobody")
    # A server of another service where this one is expected: the client looks at its name.
    wrong = world.dataplane("west-only")
    wrong["name"], wrong["networking"]["inbound"][0]["tags"]["kuma.io/service"] = \
        "false-extra", "extra"
    world.register("west", wrong)
    local.wait_for("west offers it", lambda: world.zone_ctl("east", "explain", "web", "--to",
                                                            "extra").find("west") >= 0)
    counts = world.connections("east", "extra", 20)
    expect(counts.failures == 20, f"a server of another identity was taken: {counts}")
    return "plain text, no certificate, no name, wrong identity: 0 of 140 let in"


@world_scenario()
def cross_rotation(world):
    """The authority changes over two roots, and certificates of a minute are renewed, under
    load across zones: no connection fails, none is cut."""
    world.apply(route((part("east"), 50), (part("west"), 50)))
    short = {"dpCert": {"rotation": {"expiration": "1m"}}}
    server = world.address("west-backend-v0")

    def shown():
        return world.certificate("west-backend-v1", server, INBOUND, "--tls",
                                 "backend{mesh=default}", "--alpn", "kuma")

    first = shown()
    held = world.hold("east", "backend", rounds(100, 1000, 1000))
    with held, world.load("east", "backend", rate=300) as load:
        world.apply(mesh_of("ca-1", "ca-1", **short))
        for enabled, names in (("ca-1", ("ca-1", "ca-2")), ("ca-2", ("ca-1", "ca-2")),
                               ("ca-2", ("ca-2",))):
            world.apply(mesh_of(enabled, *names, **short))
        second = local.wait_for("another authority's certificate",
                                lambda: shown() not in (None, first) and shown())
        if rounds(False, True, True):  # it takes most of the minute
            local.wait_for("a renewed one", lambda: shown() not in (None, first, second), 70)
        time.sleep(DRAIN + rounds(1, 10, 10))
        cut, total = held.cut(), load.stop()
    expect(total.failures == 0, f"{total}")
    expect(cut == 0, f"{cut} of {held.count} connections were cut")
    return f"0 of {sum(total.values())} failed, 0 of {held.count} cut"


@world_scenario()
def cross_ipv6(world):
    """West's ingress and servers move to IPv6 addresses: east reaches them there."""
    six = documents.Topology(6)
    for host in ("west-ingress", "west-backend-v0", "west-backend-v1"):
        world.register("west", documents.document(six, host))
    world.apply(route((part("west", "v0"), 60), (part("west", "v1"), 40)))
    address = six.address("west-ingress", WAN)
    local.wait_for("east knows the address", lambda: address in world.zone_ctl(
        "east", "explain", "web", "--to", "backend"))
    wait_for_zones(world, "east", "backend", {"west"})
    total = rounds(500, 20000, 20000)
    counts = world.connections("east", "backend", total)
    expect_shares(counts, {"west": 1.0}, total, "IPv6")
    expect(not local.misses(counts, total, {"west/backend/v0": 0.6}), f"{counts}")
    return f"{dict(counts)} by {address}"

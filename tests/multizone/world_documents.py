"""What stands in the world: hosts and their addresses, and the documents they begin with.

Hosts and networks are those of docker-compose.yml, for both forms of the world.
"""
import os

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
COMPOSE = os.path.join(HERE, "docker-compose.yml")
ZONES = ("east", "west", "apac")
WAN = "wan"

# Where things are on every host. Those below 16384 are never the kernel's choice.
SYNC, API, XDS, INGRESS, EGRESS = 5685, 5681, 5678, 10001, 10002
INBOUND, INBOUND_HTTP, ECHO = 8080, 8081, 9080

# The outbounds of each zone's `web`, on 127.0.0.1: name, port, what it leads to. Where
# nothing of that name is, the connection is closed.
OUTBOUNDS = {
    "backend": (10011, {"tags": {"kuma.io/service": "backend"}}),
    "backend-http": (10012, {"tags": {"kuma.io/service": "backend-http"}}),
    "only": (10013, {"tags": {"kuma.io/service": "only"}}),
    "multi": (10014, {"backendRef": {"kind": "MeshMultiZoneService", "name": "backend-all",
                                     "port": INBOUND}}),
    "external": (10015, {"tags": {"kuma.io/service": "external"}}),
    "extra": (10016, {"tags": {"kuma.io/service": "extra"}}),
}


PLURALS = {"MeshLoadBalancingStrategy": "meshloadbalancingstrategies",
           "TrafficRoute": "traffic-routes", "ExternalService": "external-services",
           "ZoneIngress": "zoneingresses", "ZoneEgress": "zoneegresses"}


def plural(kind):
    """A kind's name in paths."""
    return PLURALS.get(kind, kind.lower() + "s")


class Topology:
    """The hosts and their addresses in one family, 4 or 6."""

    def __init__(self, family=4):
        with open(COMPOSE, encoding="utf-8") as file:
            compose = yaml.safe_load(file)
        self.family = family
        self.hosts = {name: service["networks"]
                      for name, service in compose["services"].items()}
        self.networks = {name: [part["subnet"] for part in network["ipam"]["config"]]
                         for name, network in compose["networks"].items()}
        self.sysctls = compose["x-host"]["sysctls"]

    def address(self, host, network=None):
        """Its address in a network; without one, in its zone's (global's: in the WAN)."""
        legs = self.hosts[host]
        leg = legs[network or next(name for name in (*ZONES, WAN) if name in legs)]
        return leg["ipv4_address" if self.family == 4 else "ipv6_address"]

    def endpoint(self, host, port, network=None):
        """HOST:PORT, as the programs write it."""
        address = self.address(host, network)
        return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"

    def zone_hosts(self, zone, leg=None):
        """The hosts of a zone that have a leg in a network."""
        return [host for host, legs in self.hosts.items() if zone_of(host) == zone
                and (leg is None or leg in legs)]


def zone_of(host):
    """The zone in which a host stands, or None: it is global."""
    zone = host.split("-")[0]
    return zone if zone in ZONES else None


def proxy_of(host):
    """The Dataplane or zone proxy whose Envoy a host runs, or None."""
    zone, part = zone_of(host), host.partition("-")[2]
    if zone is None or part == "cp":
        return None
    return f"{part}-{zone}" if part in ("ingress", "egress") else part


def answer_of(host):
    """What the echo server of a host says: zone/service/version."""
    zone, part = zone_of(host), host.partition("-")[2]
    service, _, version = part.partition("-")
    return f"{zone}/{service}/{version or 'v0'}"


def mesh():
    """The mesh with mutual TLS by an authority that global makes."""
    return {"type": "Mesh", "name": "default", "mtls": {
        "enabledBackend": "ca-1", "backends": [{"name": "ca-1", "type": "builtin"}]}}


def permission():
    """All of the mesh may connect to all."""
    return {"type": "MeshTrafficPermission", "name": "all-of-the-mesh", "mesh": "default",
            "spec": {"from": [{"targetRef": {"kind": "Mesh"}, "default": {"action": "Allow"}}]}}


def inbound(port, service, protocol, version):
    """An inbound before the echo server of the host."""
    return {"port": port, "servicePort": ECHO, "serviceAddress": "127.0.0.1",
            "tags": {"kuma.io/service": service, "kuma.io/protocol": protocol,
                     "version": version}}


def dataplane(topology, host):
    """The Dataplane of a host."""
    name, (_, service, version) = proxy_of(host), answer_of(host).split("/")
    networking = {"address": topology.address(host)}
    if service == "gateway":
        networking["gateway"] = {"type": "BUILTIN", "tags": {"kuma.io/service": "gateway"}}
    else:
        networking["inbound"] = [inbound(INBOUND, service, "tcp", version)]
    if service == "backend":
        networking["inbound"].append(inbound(INBOUND_HTTP, "backend-http", "http", version))
    if service == "web":
        networking["outbound"] = [{"port": port, **where}
                                  for port, where in OUTBOUNDS.values()]
    return {"type": "Dataplane", "mesh": "default", "name": name,
            "labels": {"app": service}, "networking": networking}


def ingress(topology, host):
    """The ZoneIngress of a host: others dial it where it listens, in the WAN."""
    address = topology.address(host, WAN)
    return {"type": "ZoneIngress", "name": proxy_of(host), "networking": {
        "address": address, "port": INGRESS,
        "advertisedAddress": address, "advertisedPort": INGRESS}}


def egress(topology, host):
    """The ZoneEgress of a host."""
    return {"type": "ZoneEgress", "name": proxy_of(host), "networking": {
        "address": topology.address(host), "port": EGRESS}}


def document(topology, host):
    """What a host's zone registers for it."""
    part = host.partition("-")[2]
    make = {"ingress": ingress, "egress": egress}.get(part, dataplane)
    return make(topology, host)


def folder_of(zone, topology):
    """The files of a zone's watched folder at the beginning: {name: document}. An egress
    changes where traffic goes, so it is registered only when it is started."""
    return {proxy_of(host): document(topology, host) for host in topology.zone_hosts(zone)
            if proxy_of(host) and host != f"{zone}-egress"}

"""What scenarios are written with: a stage with a mesh, and expectations on it."""
import json
import os

import local

SCENARIOS = []
SERVICE = "backend_kuma-demo_svc_3001"
EXAMPLES = os.path.join(local.ROOT, "deploy", "examples")


class Scenario:
    """A function with the name of its story."""

    def __init__(self, function, needs_envoy=True, own_network=False, alone=False,
                 family=None):
        self.name, self.function = function.__name__, function
        self.needs_envoy, self.own_network = needs_envoy, own_network
        self.alone, self.family = alone, family


def scenario(needs_envoy=True, own_network=False, alone=False):
    """Make a function a scenario. It returns a text for the table, or None.

    What compares times of its own is run alone."""

    def register(function):
        SCENARIOS.append(Scenario(function, needs_envoy, own_network, alone))
        return function

    return register


def world_scenario(family=4):
    """Make a function a scenario of the world (world.py), which it is called with. Those of
    one family of addresses have one world, as it was when it came up."""

    def register(function):
        SCENARIOS.append(Scenario(function, family=family))
        return function

    return register


def rounds(small, middle, large):
    """How often to do a thing, by the size of the run (ZL_SIZE: S, C or L)."""
    return {"S": small, "C": middle, "L": large}[os.environ.get("ZL_SIZE", "S")]


def expect(condition, text):
    """Fail with text unless condition holds."""
    if not condition:
        raise local.Failure(text)


def split(weights, name="route-1", mesh="default", to="backend", target=None):
    """A MeshTCPRoute: weights maps a version of the service, or a service, to a weight."""
    refs = [{"kind": "MeshServiceSubset", "name": SERVICE, "tags": {"version": key},
             "weight": weight} if key.startswith("v")
            else {"kind": "MeshService", "name": key, "weight": weight}
            for key, weight in weights.items()]
    spec = {"to": [{"targetRef": {"kind": "MeshService", "name": to},
                    "rules": [{"default": {"backendRefs": refs}}]}]}
    if target:
        spec["targetRef"] = target
    return {"type": "MeshTCPRoute", "name": name, "mesh": mesh, "spec": spec}


class Stage:
    """One mesh, and the things that scenarios do again and again."""

    def __init__(self, mesh, long):
        self.mesh, self.long = mesh, long

    def zone_with_backends(self, name, hub, versions=("v0", "v1"), extra=(),
                           mesh_name="default", **settings):
        """A zone with a frontend `web` and backends of these versions, not yet Envoys."""
        zone = self.mesh.start_zone(name, hub, **settings)
        self.add_dataplanes(zone, versions, extra, mesh_name)
        return zone

    def add_dataplanes(self, zone, versions=("v0", "v1"), extra=(), mesh_name="default"):
        """Register them through the watched folder and wait until the zone has them."""
        docs = [self.mesh.backend(zone, f"backend-{v}", SERVICE, {"version": v},
                                  mesh_name=mesh_name) for v in versions]
        docs += [self.mesh.backend(zone, name.replace("_", "-"), name, mesh_name=mesh_name)
                 for name in extra]
        zone.outbounds = self.mesh.client(zone, "web", ["backend", SERVICE],
                                          {"app": "frontend"}, mesh_name=mesh_name)
        local.wait_for(f"{zone.name} has its Dataplanes", lambda: zone.get(
            f"/meshes/{mesh_name}/dataplanes")["total"] == len(docs) + 1)
        zone.proxies = [doc["name"] for doc in docs] + ["web"]

    def start_envoys(self, zone, drain_seconds=600, mesh_name="default"):
        """An Envoy for each Dataplane of the zone; {name: Envoy}."""
        zone.envoys = {name: self.mesh.start_envoy(
            zone, name, drain_seconds=drain_seconds, mesh_name=mesh_name)
            for name in zone.proxies}

    def put(self, daemon, document):
        """PUT a route; its answer."""
        status, answer = local.request(
            daemon.api, "PUT",
            f"/meshes/{document['mesh']}/meshtcproutes/{document['name']}", document)
        expect(status in (200, 201), f"PUT {document['name']}: {status} {answer}")
        return answer

    def wait(self, hub, revision, what="proxies", seconds=60):
        """Wait at global until all zones or proxies have a revision; the answer."""
        answer = hub.get(f"/_wait?revision={revision}&for={what}&timeout={seconds}s")
        expect(answer["reached"] and not answer["nacked"],
               f"revision {revision} did not reach all {what}: {json.dumps(answer)}")
        return answer

    def put_and_wait(self, hub, document):
        """PUT a route and wait for the last acknowledgement; the answer of the wait."""
        return self.wait(hub, self.put(hub, document)["revision"])

    def expect_split(self, zone, shares, service="backend", total=2000):
        """Count connections; each share must lie in the 99.9 % binomial interval.

        A fair split misses it once in a thousand, so a miss is counted again, over twice
        as many connections, before it is believed.
        """
        port = zone.outbounds[service]
        counts = local.count_greetings(port, total)
        if local.misses(counts, total, shares):
            total *= 2
            counts = local.count_greetings(port, total)
        for name in local.misses(counts, total, shares):
            raise local.Failure(
                f"{zone.name}: {name} answered {counts.get(name, 0)} of {total}, "
                f"configured {100 * shares[name]:g} %: {counts}")
        expect(not set(counts) - set(shares), f"{zone.name}: strangers answered: {counts}")
        return counts

    def routes(self, zone, proxy="web", mesh_name="default"):
        """What `explain` says of a proxy: {service: outbound}."""
        text = self.mesh.ctl("explain", proxy, "--mesh", mesh_name, "-o", "json",
                             server=zone)
        outbounds = json.loads(text)["proxies"][0]["outbounds"]
        return {outbound["destination"]["name"]: outbound for outbound in outbounds}


def example(name):
    """Path of a document of deploy/examples."""
    return os.path.join(EXAMPLES, name)

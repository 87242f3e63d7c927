"""Cases of tests/conformance in a live Envoy: each case with an envoy.json is a story.

Dataplanes come from the watched folder, policies by the API; what the proxy of the case
binds is moved to free ports of loopback. A case with ZoneIngresses of other zones gets a
global and these zones, with as many Dataplanes behind each service as its ingress claims;
one with policies of the zone, services outside the mesh, or mutual TLS gets a global too.
Cases that a zone alone cannot be told (objects of other zones, Secrets, mutual TLS with
other zones) and those of builtin gateways are left to tests/conformance/accepted; gateways
and the like have stories of their own.
"""
import json
import os

import local
from story import expect, scenario
import yaml

CASES = os.path.join(local.ROOT, "tests", "conformance", "cases")
PROXY = "web-01"
PLURALS = {"Mesh": "meshes", "Zone": "zones"}
OF_MESHES = {"MeshTCPRoute": "meshtcproutes", "MeshHTTPRoute": "meshhttproutes",
             "TrafficRoute": "traffic-routes", "MeshService": "meshservices",
             "MeshMultiZoneService": "meshmultizoneservices",
             "MeshLoadBalancingStrategy": "meshloadbalancingstrategies",
             "MeshExternalService": "meshexternalservices",
             "ExternalService": "external-services"}
TYPES = {"Listener": "listeners", "Cluster": "clusters", "TypedExtensionConfig":
         "extensions", "ClusterLoadAssignment": "endpoints", "RouteConfiguration": "routes"}


def documents_of(name):
    """The documents of a case."""
    with open(os.path.join(CASES, name, "input.yaml"), encoding="utf-8") as file:
        return [document for document in yaml.safe_load_all(file) if document]


def read(name):
    """The documents of a case, sorted by type, and what Envoy should get."""
    documents = {}
    for document in documents_of(name):
        documents.setdefault(document["type"], []).append(document)
    with open(os.path.join(CASES, name, "envoy.json"), encoding="utf-8") as file:
        return documents, json.load(file)


def is_foreign(document):
    """True for what another zone wrote."""
    return document.get("labels", {}).get("kuma.io/zone", "east") != "east"


def is_playable(name):
    """True if the documents of a case can be told to a zone."""
    documents = documents_of(name)
    kinds = {document.get("type") for document in documents}
    first = {"Mesh", "Zone", "Dataplane", "ZoneIngress", "MeshTCPRoute"}
    known = first | set(OF_MESHES)
    if any("mtls" in document for document in documents):
        if any(document.get("mesh", "default") != "default" for document in documents):
            return False
    elif kinds <= first:
        return True
    if {"MeshExternalService", "MeshService"} <= kinds:  # written at different places
        return False
    return kinds <= known - {"ZoneIngress", "Zone"} and not any(
        is_foreign(document) or "meshServices" in document or
        "gateway" in document.get("networking", {}) for document in documents)


def move(proxy):
    """Move what a proxy binds to free ports of loopback; {old HOST:PORT: new}."""
    networking, moved = proxy["networking"], {}
    old = networking["address"]
    networking["address"] = "127.0.0.1"
    for bound in networking.get("inbound", []):
        here = f"{bound.get('address', old)}:{bound['port']}"
        bound.setdefault("servicePort", bound["port"])  # the application stays
        bound["address"], bound["port"] = "127.0.0.1", local.free_port()
        moved[here] = f"127.0.0.1:{bound['port']}"
    for bound in networking.get("outbound", []):
        host = bound.get("address", "127.0.0.1")
        host = f"[{host}]" if ":" in host else host
        here, bound["port"] = f"{host}:{bound['port']}", local.free_port()
        moved[here] = f"{host}:{bound['port']}"
    return moved


def names_of(config, moved):
    """The names of a configuration by kind, where its listeners have been moved."""
    def new(name):
        kind, _, place = name.partition(":")
        place, slash, rest = place.partition("/")
        return f"{kind}:{moved[place]}{slash}{rest}" if place in moved else name

    return {"listeners": {new(one["name"]) for one in config["listeners"]},
            "extensions": {new(one["name"]) for one in config["extensions"]},
            "clusters": {one["name"] for one in config["clusters"]},
            "endpoints": {one["clusterName"] for one in config["endpoints"]},
            "routes": {new(one["name"]) for one in config.get("routes", [])}}


def put(daemon, document):
    """PUT a document of the case at a daemon's API."""
    kind, name = document["type"], document["name"]
    mesh = f"/meshes/{document.get('mesh', 'default')}"
    path = f"{mesh}/{OF_MESHES[kind]}/{name}" if kind in OF_MESHES else \
        f"/{PLURALS[kind]}/{name}"
    status, answer = local.request(daemon.api, "PUT", path, document)
    expect(status in (200, 201), f"PUT {path}: {status} {answer}")


def start_other_zone(stage, hub, ingress):
    """The zone of a ZoneIngress, with the Dataplanes that its ingress speaks for."""
    zone = stage.mesh.start_zone(ingress["zone"], hub)
    count = 0
    for service in ingress.pop("availableServices"):
        service["tags"].pop("kuma.io/zone", None)
        for _ in range(service["instances"]):
            count += 1
            stage.mesh.put_file(zone, f"behind-{count}.yaml", {
                "type": "Dataplane", "mesh": service["mesh"], "name": f"behind-{count}",
                "networking": {"address": "127.0.0.1", "inbound": [
                    {"port": 8000 + count, "tags": service["tags"]}]}})
    del ingress["zone"]
    stage.mesh.put_file(zone, "ingress.yaml", ingress)
    local.wait_for(f"{zone.name} offers its services", lambda: local.request(
        hub.api, "GET", "/zoneingresses")[1]["total"] == 1)


def is_of_zone(document):
    """True if a document is written in a zone that has a global above it."""
    return document["type"] == "MeshService" or \
        document.get("labels", {}).get("kuma.io/origin") == "zone"


def start_zones(stage, documents):
    """Start what the case needs; (global or None, zone east)."""
    ingresses = documents.pop("ZoneIngress", [])
    alone = not ingresses and "MeshExternalService" not in documents and not any(
        map(is_of_zone, documents.get("MeshTCPRoute", []))) and not any(
            "mtls" in mesh for mesh in documents.get("Mesh", []))
    hub = None if alone else stage.mesh.start_global()
    zone = stage.mesh.start_zone("east", hub)
    for ingress in ingresses:
        start_other_zone(stage, hub, ingress)
    return hub, zone


def difference(zone, want):
    """What the zone says of the proxy's resources against the names wanted; or None."""
    status, answer = local.request(
        zone.api, "GET", f"/meshes/default/dataplanes/{PROXY}/_xds")
    if status != 200:
        return f"{status} {answer}"
    found = {kind: set() for kind in want}
    for one in answer["resources"]:
        if one["state"] != "SYNCED":
            return f"{one}"
        kind = one["type"].rsplit(".", 1)[-1]
        if kind != "Secret":  # `-o envoy` shows their names only where they are used
            found[TYPES[kind]].add(one["name"])
    return None if found == want else f"has {found}, not {want}"


def play(stage, name):
    """Play a case: all that Envoy should get is with it, by name, and accepted."""
    documents, config = read(name)
    proxy = next(d for d in documents["Dataplane"] if d["name"] == PROXY)
    want = names_of(config, move(proxy))
    hub, zone = start_zones(stage, documents)
    for dataplane in documents.pop("Dataplane"):
        stage.mesh.put_file(zone, f"{dataplane['name']}.yaml", dataplane)
    for kind in (*PLURALS, *OF_MESHES):
        for document in documents.pop(kind, []):
            put(zone if is_of_zone(document) else hub or zone, document)
    expect(not documents, f"what to do with {documents.keys()}?")
    local.wait_for(f"{PROXY} is registered", lambda: local.request(
        zone.api, "GET", f"/meshes/default/dataplanes/{PROXY}")[0] == 200)
    envoy = stage.mesh.start_envoy(zone, PROXY)
    last = ["nothing"]

    def is_settled():
        last[0] = difference(zone, want)
        return last[0] is None

    try:
        local.wait_for("its resources", is_settled, 10)
    except local.Failure:
        raise local.Failure(f"{PROXY}: {last[0]}") from None
    status, text = local.request(f"unix:{envoy.admin}", "GET", "/listeners?format=json")
    bound = {one["name"] for one in text.get("listener_statuses", [])}
    expect(status == 200 and bound == want["listeners"], f"Envoy listens on {bound}")


def register(name):
    """Make a case a scenario of its own."""
    def story(stage):
        play(stage, name)

    with open(os.path.join(CASES, name, "why"), encoding="utf-8") as file:
        story.__doc__ = file.read().strip()
    story.__name__ = "conformance_" + name.replace("-", "_")
    scenario()(story)


for case in sorted(os.listdir(CASES)):
    if os.path.exists(os.path.join(CASES, case, "envoy.json")) and is_playable(case):
        register(case)

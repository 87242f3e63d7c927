"""Policies that are written in a zone: at global, in other zones, and not there."""
import json

import local
from story import expect, scenario, split

PATH = "/meshes/default/meshtcproutes"


def zone_route(weights, name, namespace=None, **labels):
    """A route as a zone's folder takes it. In a namespace it is a producer's."""
    document = split(weights, name=name)
    document["labels"] = {"kuma.io/origin": "zone", **labels}
    if namespace:
        document["labels"]["k8s.kuma.io/namespace"] = namespace
    return document


def names(daemon):
    """The names of all routes that a daemon knows."""
    return sorted(item["name"] for item in daemon.get(f"{PATH}?size=1000")["items"])


def overview(hub, name):
    """What global says of a zone."""
    return next(z for z in hub.get("/zones/_overview")["items"] if z["name"] == name)


def goes_to(zone, want):
    """Wait until connections to `backend` are answered by exactly these versions."""
    local.wait_for(f"{zone.name} sends to {sorted(want)}", lambda: set(
        local.count_greetings(zone.outbounds["backend"], 40)) == {
            f"backend-{v}" for v in want})


def enable(hub, zone, enabled):
    """Enable or disable a zone at global."""
    status, answer = local.request(hub.api, "PUT", f"/zones/{zone}", {
        "type": "Zone", "name": zone, "enabled": enabled})
    expect(status == 200, f"PUT zone {zone}: {status} {answer}")


@scenario()
def producer_policy_acts_in_another_zone(stage):
    """A zone's producer policy acts in other zones; it goes with its file and its zone."""
    hub = stage.mesh.start_global()
    east = stage.zone_with_backends("east", hub)
    west = stage.mesh.start_zone("west", hub)
    stage.start_envoys(east)
    stage.put_and_wait(hub, split({"v0": 1}, name="from-global"))
    goes_to(east, {"v0"})

    stage.mesh.put_file(west, "shared.yaml", zone_route({"v0": 20, "v1": 80}, "shared",
                                                        "demo"))
    goes_to(east, {"v0", "v1"})
    stage.expect_split(east, {"backend-v0": 0.2, "backend-v1": 0.8})
    text = stage.mesh.ctl("explain", "web", server=east)
    expect('MeshTCPRoute "shared" of namespace demo (zone west)' in text, text)
    found = hub.get(f"{PATH}/shared")
    expect(found["labels"]["kuma.io/zone"] == "west" and
           found["labels"]["kuma.io/origin"] == "zone" and
           found["labels"]["kuma.io/policy-role"] == "producer", json.dumps(found))
    table = stage.mesh.ctl("get", "meshtcproutes", server=hub)
    row = next(line.split() for line in table.splitlines() if line.startswith("shared"))
    expect("zone" in row and "west" in row, table)

    for enabled, want in ((False, {"v0"}), (True, {"v0", "v1"})):
        enable(hub, "west", enabled)
        goes_to(east, want)
    west.kill()
    stage.mesh.put_file(west, "shared.yaml", zone_route({"v1": 1}, "shared", "demo"))
    stage.expect_split(east, {"backend-v0": 0.2, "backend-v1": 0.8}, total=500)
    west.start()
    goes_to(east, {"v1"})
    stage.mesh.remove_file(west, "shared.yaml")
    goes_to(east, {"v0"})
    stage.mesh.put_file(west, "shared.yaml", zone_route({"v1": 1}, "shared", "demo"))
    goes_to(east, {"v1"})
    stage.mesh.put_file(west, "shared.yaml", zone_route(
        {"v1": 1}, "shared", "demo", **{"kuma.io/kds-sync": "disabled"}))
    goes_to(east, {"v0"})
    expect(names(hub) == ["from-global"], f"global has {names(hub)}")
    expect("shared" in names(west), "kds-sync: disabled took it from its own zone")


@scenario(needs_envoy=False)
def other_policies_stay_in_their_zone(stage):
    """A zone's own policies are seen at global, read-only, and have no part elsewhere."""
    hub = stage.mesh.start_global()
    east, west = stage.mesh.start_zone("east", hub), stage.mesh.start_zone("west", hub)
    stage.put(hub, split({"v0": 1}, name="from-global"))
    stay = split({"v0": 1}, name="at-global")
    stay["labels"] = {"kuma.io/kds-sync": "disabled"}
    stage.put(hub, stay)
    consumer = zone_route({"v0": 1}, "consumer", "demo")
    consumer["spec"]["to"][0]["targetRef"]["namespace"] = "other"
    for document in (zone_route({"v0": 1}, "system"), consumer,
                     zone_route({"v0": 1}, "producer", "demo")):
        status, answer = local.request(west.api, "PUT", f"{PATH}/{document['name']}",
                                       document)
        expect(status == 201, f"PUT {document['name']} in west: {status} {answer}")
    everything = ["at-global", "consumer", "from-global", "producer", "system"]
    local.wait_for(f"global has {everything}", lambda: names(hub) == everything)
    local.wait_for("east has what is for it",
                   lambda: names(east) == ["from-global", "producer"])
    local.wait_for("west has its own and global's", lambda: names(west) == [
        "consumer", "from-global", "producer", "system"])

    before = hub.get("/")["revision"]
    for method, path, body, want in (
            ("DELETE", f"{PATH}/system", None, 405),
            ("DELETE", f"{PATH}/producer?zone=west", None, 405),
            ("PUT", f"{PATH}/system?zone=west", split({"v1": 1}, name="system"), 405)):
        status, answer = local.request(hub.api, method, path, body)
        expect(status == want and "belongs to zone west" in answer["detail"],
               f"{method} {path} at global: {status} {answer}")
    status, answer = local.request(east.api, "DELETE", f"{PATH}/producer")
    expect(status == 405 and "another zone" in answer["detail"], f"{status} {answer}")
    status, answer = local.request(east.api, "PUT", f"{PATH}/producer", {
        **zone_route({"v0": 1}, "producer", "demo", **{"kuma.io/zone": "west"})})
    expect(status == 400 and "kuma.io/zone" in json.dumps(answer), f"{status} {answer}")
    expect(hub.get("/")["revision"] == before, "something was changed")
    status, answer = local.request(west.api, "DELETE", f"{PATH}/producer")
    expect(status == 200, f"{status} {answer}")
    local.wait_for("it is gone everywhere",
                   lambda: "producer" not in names(hub) + names(east) + names(west))


@scenario(needs_envoy=False)
def one_name_in_many_places(stage):
    """Global's and two zones' policies of one name stand side by side, told apart."""
    hub = stage.mesh.start_global()
    zones = [stage.zone_with_backends(name, hub) for name in ("east", "west")]
    stage.put(hub, split({"v0": 1}, name="same"))
    for zone, weights in zip(zones, ({"v1": 1}, {"v0": 1, "v1": 1})):
        stage.mesh.put_file(zone, "same.yaml", zone_route(weights, "same"))
    local.wait_for("global has three", lambda: names(hub) == ["same"] * 3)
    for zone in zones:
        local.wait_for(f"{zone.name}'s own has the last word", lambda z=zone: [
            p["origin"] for p in stage.routes(z)["backend"]["policies"]] == [
                "global", "zone"])
    expect(hub.get(f"{PATH}/same")["labels"]["kuma.io/origin"] == "global",
           "the plain name is not global's")
    for zone in zones:
        found = hub.get(f"{PATH}/same?zone={zone.name}")
        expect(found["labels"]["kuma.io/zone"] == zone.name, json.dumps(found))
    status, answer = local.request(hub.api, "DELETE", f"{PATH}/same")
    expect(status == 200, f"{status} {answer}")
    status, answer = local.request(hub.api, "GET", f"{PATH}/same")
    expect(status == 409, f"two of one name: {status} {answer}")
    for part in answer["detail"].split(": ")[1].split(", "):
        kri, name = part.rstrip(")").split(" (")
        expect(hub.get(f"{PATH}/{name}")["kri"] == kri, f"{name} is not {kri}")
    local.wait_for("each zone has its own alone",
                   lambda: all(names(zone) == ["same"] for zone in zones))


@scenario(needs_envoy=False)
def a_zone_has_its_share_of_global(stage):
    """What is over a zone's share of global stays there and is named; others go on."""
    hub = stage.mesh.start_global()
    east, west = stage.mesh.start_zone("east", hub), stage.mesh.start_zone("west", hub)
    routes = [zone_route({"v0": 1}, f"r-{i:04}") for i in range(5100)]
    stage.mesh.put_file(west, "many.json", "\n---\n".join(map(json.dumps, routes)))
    first = local.wait_for("west names what stays", lambda: (
        lambda kept: kept if kept["count"] == 100 else None)(
            west.get("/_status")["notSent"]), 60)["items"][0]
    expect("r-5000" in first["kri"] and "5000 resources" in first["reason"], f"{first}")
    local.wait_for("global has the share", lambda: hub.get(
        f"{PATH}?size=1")["total"] == 5000, 60)
    zone = overview(hub, "west")
    expect(zone["resources"] == 5000 and zone["refusedCount"] == 0, f"{zone}")
    stage.mesh.put_file(east, "own.yaml", zone_route({"v0": 1}, "own"))
    local.wait_for("the other zone's arrives", lambda: hub.get(
        f"{PATH}?name=own")["total"] == 1)
    stage.mesh.put_file(west, "many.json", "\n---\n".join(map(json.dumps, routes[50:])))
    local.wait_for("others take the place of what went", lambda: (
        west.get("/_status")["notSent"]["count"] == 50
        and hub.get(f"{PATH}?name=r-5049")["total"] == 1
        and hub.get(f"{PATH}?size=1")["total"] == 5001), 60)
    stage.mesh.remove_file(west, "many.json")
    local.wait_for("all of it goes", lambda: names(hub) == ["own"], 60)
    return "5,000 of 5,100"

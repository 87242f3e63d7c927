"""Zones and their global: late, alone, killed, cut off from each other."""
import json
import random

import local
from story import SERVICE, expect, rounds, scenario, split


def offer_ingress(stage, zone, address="10.20.0.1", port=10001):
    """Register a ZoneIngress through the zone's watched folder."""
    stage.mesh.put_file(zone, "ingress.yaml", {
        "type": "ZoneIngress", "name": f"ingress-{zone.name}", "networking": {
            "address": "127.0.0.1", "port": local.free_port(),
            "advertisedAddress": address, "advertisedPort": port}})


@scenario()
def remote_service_by_its_ingress(stage):
    """A service that only another zone has resolves to that zone's ingress; and goes."""
    hub = stage.mesh.start_global()
    east = stage.zone_with_backends("east", hub)
    west = stage.mesh.start_zone("west", hub)
    stage.mesh.backend(west, "far-1", "far-away")
    stage.mesh.backend(west, "far-2", "far-away")
    offer_ingress(stage, west)
    stage.start_envoys(east)
    stage.put_and_wait(hub, split({"far-away": 1}))

    def endpoints():
        backend = stage.routes(east)["backend"]["backends"][0]
        return [(e["zone"], e["address"], e["port"], e["via"], e["weight"])
                for e in backend.get("endpoints", [])]

    want = [("west", "10.20.0.1", 10001, "ingress", 2)]
    local.wait_for(f"explain in east shows {want}", lambda: endpoints() == want)
    local.wait_for("east's Envoy has the ingress as endpoint",
                   lambda: "far-away::10.20.0.1:10001" in east.envoys["web"].clusters())
    text = stage.mesh.ctl("explain", "web", server=east)
    expect("10.20.0.1" in text and "ingress" in text, f"explain says nothing of it: {text}")

    for name in ("far-1", "far-2"):
        status, answer = local.request(west.api, "GET",
                                       f"/meshes/default/dataplanes/{name}")
        expect(status == 200, f"{name}: {status} {answer}")
        stage.mesh.remove_file(west, f"{name}.yaml")
    local.wait_for("the service is withdrawn in east", lambda: not endpoints())
    local.wait_for("east's Envoy has dropped the endpoint", lambda: "10.20.0.1:10001"
                   not in east.envoys["web"].clusters())


@scenario()
def zone_alone(stage):
    """A zone without a global serves its proxies, with routes written to it."""
    zone = stage.zone_with_backends("east", None)
    stage.start_envoys(zone)
    stage.put(zone, split({"v0": 30, "v1": 70}))
    local.wait_for("the split is in force", lambda: set(local.count_greetings(
        zone.outbounds["backend"], 40)) == {"backend-v0", "backend-v1"})
    stage.expect_split(zone, {"backend-v0": 0.3, "backend-v1": 0.7})


@scenario()
def zone_restart_without_global(stage):
    """A zone that restarts while global is down serves new proxies the old state."""
    hub = stage.mesh.start_global()
    zone = stage.zone_with_backends("east", hub)
    stage.start_envoys(zone)
    stage.put_and_wait(hub, split({"v0": 90, "v1": 10}))
    hub.kill()
    zone.kill()
    stage.expect_split(zone, {"backend-v0": 0.9, "backend-v1": 0.1}, total=500)
    zone.start()
    zone.envoys["web"].process.end()
    zone.envoys["web"].start()
    local.wait_for("the new Envoy is live", zone.envoys["web"].live)
    stage.expect_split(zone, {"backend-v0": 0.9, "backend-v1": 0.1})


@scenario()
def global_killed(stage):
    """kill -9 of global: traffic goes on, and after its return changes arrive again."""
    hub = stage.mesh.start_global()
    zone = stage.zone_with_backends("east", hub)
    stage.start_envoys(zone)
    stage.put_and_wait(hub, split({"v0": 90, "v1": 10}))
    turns = rounds(3, 20, 200)
    for i in range(turns):
        hub.kill()
        stage.expect_split(zone, {"backend-v0": 0.9 if i == 0 else 0.2,
                                  "backend-v1": 0.1 if i == 0 else 0.8}, total=500)
        hub.start()
        stage.put_and_wait(hub, split({"v0": 20, "v1": 80}))
    stage.expect_split(zone, {"backend-v0": 0.2, "backend-v1": 0.8})
    return f"{turns} kills"


@scenario()
def late_zone(stage):
    """A zone that joins late gets everything that was written before."""
    hub = stage.mesh.start_global()
    for i in range(50):
        stage.put(hub, split({"v0": 1}, name=f"other-{i}", to=f"service-{i}"))
    revision = stage.put(hub, split({"v0": 25, "v1": 75}))["revision"]
    zone = stage.zone_with_backends("late", hub)
    stage.start_envoys(zone)
    stage.wait(hub, revision)
    expect(zone.get("/meshes/default/meshtcproutes?size=1")["total"] == 51,
           "not all routes arrived")
    stage.expect_split(zone, {"backend-v0": 0.25, "backend-v1": 0.75})


@scenario()
def dataplane_by_api(stage):
    """A Dataplane that is written to the zone's API counts, outlives a restart, and goes."""
    zone = stage.zone_with_backends("east", None, versions=("v0",))
    stage.start_envoys(zone)
    document = stage.mesh.backend(zone, "by-api", SERVICE, {"version": "v0"})
    stage.mesh.remove_file(zone, "by-api.yaml")
    path = "/meshes/default/dataplanes/by-api"
    local.wait_for("the file's Dataplane is gone", lambda: local.request(
        zone.api, "GET", path)[0] == 404)
    status, answer = local.request(zone.api, "PUT", path, document)
    expect(status == 201, f"PUT {path}: {status} {answer}")
    zone.kill()
    zone.start()
    status, found = local.request(zone.api, "GET", path)
    expect(status == 200 and found["networking"] == document["networking"],
           f"after a restart: {status} {found}")
    zone.envoys["by-api"] = stage.mesh.start_envoy(zone, "by-api")
    local.wait_for("by-api answers", lambda: "by-api" in local.count_greetings(
        zone.outbounds[SERVICE], 20))
    stage.expect_split(zone, {"backend-v0": 0.5, "by-api": 0.5}, SERVICE)
    status, answer = local.request(zone.api, "DELETE", path)
    expect(status == 200, f"DELETE {path}: {status} {answer}")
    local.wait_for("by-api answers no more", lambda: "by-api" not in
                   local.count_greetings(zone.outbounds[SERVICE], 20))


@scenario(needs_envoy=False)
def bad_file_harms_no_other(stage):
    """One bad file of the watched folder is named; the others count."""
    zone = stage.mesh.start_zone("east")
    stage.mesh.backend(zone, "good-1", "web")
    stage.mesh.put_file(zone, "bad.yaml", "type: Dataplane\nname: bad\nnetworking: [\n")
    stage.mesh.put_file(zone, "wrong.yaml", {"type": "Dataplane", "name": "wrong",
                                             "networking": {"adress": "127.0.0.1"}})
    stage.mesh.backend(zone, "good-2", "web")
    local.wait_for("both good ones", lambda: zone.get(
        "/meshes/default/dataplanes")["total"] == 2)
    text = local.wait_for("the status names both bad ones", lambda: (
        lambda t: t if "bad.yaml" in t and "wrong.yaml" in t else None)(
            json.dumps(zone.get("/_status"))))
    expect("adress" in text, f"the status does not say what is wrong: {text}")


@scenario(needs_envoy=False)
def acknowledged_writes_survive_kill(stage):
    """kill -9 of global, zone or both at any moment loses no acknowledged write."""
    runs = rounds(40, 400, 6000)
    hub = stage.mesh.start_global()
    zone = stage.zone_with_backends("east", hub)
    acked, dice = {}, random.Random(7)
    for run in range(runs):
        victim = hub if run % 2 == 0 else zone
        victims = dice.sample((hub, zone), 2) if run % 5 == 4 else [victim]
        writes = dice.randrange(1, 12)
        for i in range(writes):
            name, weight = f"route-{dice.randrange(20)}", dice.randrange(1, 1000)
            document = split({"v0": weight}, name=name, to=f"s-{name}")
            if i == writes - 1:
                victim.process.child.send_signal(9)
            try:
                status, _ = local.request(
                    hub.api, "PUT", f"/meshes/default/meshtcproutes/{name}", document)
            except OSError:
                acked.pop(name, None)  # unknown: either content is right
                break
            if status in (200, 201):
                acked[name] = weight
        for daemon in victims:
            daemon.kill()
        for daemon in dice.sample(victims, len(victims)):
            daemon.start()
        for name, weight in acked.items():
            found = hub.get(f"/meshes/default/meshtcproutes/{name}")
            got = found["spec"]["to"][0]["rules"][0]["default"]["backendRefs"][0]["weight"]
            expect(got == weight, f"run {run}: {name} was acknowledged with {weight}, "
                                  f"is {got}")
    revision = stage.put(hub, split({"v0": 7}, name="last", to="last"))["revision"]
    stage.wait(hub, revision, "zones", 30)
    for name, weight in acked.items():
        found = zone.get(f"/meshes/default/meshtcproutes/{name}")
        got = found["spec"]["to"][0]["rules"][0]["default"]["backendRefs"][0]["weight"]
        expect(got == weight, f"zone: {name} is {got}, not {weight}")
    return f"{runs} kills, {len(acked)} routes checked after each"

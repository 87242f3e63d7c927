"""A global that has forgotten its policies: zones keep them until somebody says so."""
import os
import shutil

import local
from story import expect, scenario, split

ROUTES = 15


def zone_line(hub, name):
    """What `zones` says of one zone."""
    return next(item for item in hub.get("/zones/_overview")["items"]
                if item["name"] == name)


def state_of(hub, name):
    """Its state there, "" while it is not there at all."""
    return next((item["state"] for item in hub.get("/zones/_overview")["items"]
                 if item["name"] == name), "")


def routes_of(daemon):
    """How many routes a daemon knows."""
    return daemon.get("/meshes/default/meshtcproutes")["total"]


def write_routes(stage, hub, zone):
    """Write ROUTES routes at global and wait until the zone has them."""
    local.wait_for("the zone is live", lambda: state_of(hub, zone.name) == "Online")
    for i in range(ROUTES):
        answer = stage.put(hub, split({"v0": 1}, name=f"route-{i}", to=f"service-{i}"))
    stage.wait(hub, answer["revision"], what="zones")
    expect(routes_of(zone) == ROUTES, "the zone does not have the routes")


def forget(hub):
    """Global loses its store, but not who it is; the store, put aside."""
    folder = hub.settings["data_dir"]
    hub.kill()
    aside = folder + ".aside"
    shutil.copytree(folder, aside, ignore=shutil.ignore_patterns("link"))
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name not in ("pki", "key"):
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    hub.start()
    return aside


def wait_held(hub, zone):
    """Wait until global shows that the zone holds; the zone must serve all it had."""
    local.wait_for(f"{zone.name} is held", lambda: state_of(hub, zone.name) == "Held")
    line = zone_line(hub, zone.name)
    expect(line["held"]["removed"] >= ROUTES, f"held, but: {line}")
    expect(routes_of(zone) == ROUTES, "a zone that holds lost routes")
    return line


@scenario(needs_envoy=False)
def an_empty_global_is_held(stage):
    """Global's store is lost: the zone keeps its 15 routes over a restart, until accepted."""
    hub = stage.mesh.start_global()
    zone = stage.mesh.start_zone("east", hub)
    write_routes(stage, hub, zone)
    forget(hub)
    wait_held(hub, zone)
    status = zone.get("/_status")["global"]
    expect(status["state"] == "held" and "zones accept" in status["trouble"], str(status))
    expect(zone.metrics()["zonelink_replication_held"] >= ROUTES, "no metric in the zone")
    expect(hub.metrics()['zonelink_replication_held{zone="east"}'] >= ROUTES,
           "no metric at global")

    zone.kill()
    zone.start()
    expect(routes_of(zone) == ROUTES, "a restart lost routes")
    wait_held(hub, zone)

    # What is written meanwhile is not shown, and is not lost.
    stage.put(hub, split({"v0": 1}, name="new", to="service-new"))
    text = stage.mesh.ctl("zones", server=hub)
    expect("Held" in text, text)
    text = stage.mesh.ctl("zones", "accept", "east", server=hub)
    expect("will remove" in text, text)
    local.wait_for("the zone follows", lambda: state_of(hub, "east") == "Online"
                   and routes_of(zone) == 1)
    stage.mesh.ctl("zones", "accept", "east", server=hub, code=5)
    stage.mesh.ctl("zones", "accept", "nobody", server=hub, code=4)
    expect(zone.metrics()["zonelink_replication_held"] == 0, "held still, says the metric")


@scenario(needs_envoy=False)
def a_held_zone_is_given_its_history_back(stage):
    """The lost store is put back: the hold ends by itself and nothing was ever gone."""
    hub = stage.mesh.start_global()
    zone = stage.mesh.start_zone("east", hub)
    write_routes(stage, hub, zone)
    aside = forget(hub)
    wait_held(hub, zone)
    hub.kill()
    shutil.rmtree(hub.settings["data_dir"])
    os.rename(aside, hub.settings["data_dir"])
    hub.start()
    local.wait_for("the zone is live", lambda: state_of(hub, "east") == "Online")
    expect(routes_of(zone) == ROUTES, "routes were lost")
    answer = stage.put(hub, split({"v0": 1}, name="new", to="service-new"))
    stage.wait(hub, answer["revision"], what="zones")


@scenario(needs_envoy=False)
def a_zone_accepts_by_itself(stage):
    """Global is gone for good: the zone's own API lets what is held take effect."""
    hub = stage.mesh.start_global()
    zone = stage.mesh.start_zone("east", hub)
    write_routes(stage, hub, zone)
    status, answer = local.request(zone.api, "POST", "/_accept")
    expect(status == 409, f"accepted what is not there: {status} {answer}")
    forget(hub)
    wait_held(hub, zone)
    hub.kill()
    status, answer = local.request(zone.api, "POST", "/_accept")
    expect(status == 200 and answer["held"]["removed"] >= ROUTES, f"{status} {answer}")
    local.wait_for("the routes are gone", lambda: routes_of(zone) == 0)
    hub.start()
    local.wait_for("the zone is live", lambda: state_of(hub, "east") == "Online")

"""A global that has forgotten its policies: zones keep them until somebody says so."""
import os
import shutil

import local
from story import expect, rounds, scenario, split

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


def copy_data(hub, to):
    """Copy the data folder of a global that is down."""
    shutil.copytree(hub.settings["data_dir"], to, ignore=shutil.ignore_patterns("link"))


def add_routes(stage, hub, zone):
    """Let the zone know ROUTES routes of global; a copy of what global was before them."""
    hub.stop()
    old = hub.settings["data_dir"] + ".old"
    copy_data(hub, old)
    hub.start()
    local.wait_for("the zone is live", lambda: state_of(hub, zone.name) == "Online")
    for i in range(ROUTES):
        answer = stage.put(hub, split({"v0": 1}, name=f"route-{i}", to=f"service-{i}"))
    stage.wait(hub, answer["revision"], what="zones")
    expect(routes_of(zone) == ROUTES, "the zone does not have the routes")
    return old


def start(stage):
    """Global, a zone that knows ROUTES routes of it, a copy of what global was before."""
    hub = stage.mesh.start_global()
    zone = stage.mesh.start_zone("east", hub)
    local.wait_for("the zone is live", lambda: state_of(hub, zone.name) == "Online")
    return hub, zone, add_routes(stage, hub, zone)


def put_back(hub, old):
    """Put global's folder back to what it was before; the newer one, put aside."""
    folder = hub.settings["data_dir"]
    hub.kill()
    aside = folder + ".aside"
    os.rename(folder, aside)
    os.rename(old, folder)
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
def an_old_global_is_held(stage):
    """Global is put back to before 15 routes: the zone keeps them, over a restart too."""
    hub, zone, old = start(stage)
    more = rounds(0, 9, 99)
    for _ in range(more):
        shutil.rmtree(put_back(hub, old))
        wait_held(hub, zone)
        stage.mesh.ctl("zones", "accept", "east", server=hub)
        local.wait_for("the zone follows", lambda: state_of(hub, "east") == "Online"
                       and routes_of(zone) == 0)
        old = add_routes(stage, hub, zone)
    put_back(hub, old)
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
    return f"{more + 1} times put back"


@scenario(needs_envoy=False)
def a_held_zone_is_given_its_history_back(stage):
    """The newer store is put back: the hold ends by itself and nothing was ever gone."""
    hub, zone, old = start(stage)
    aside = put_back(hub, old)
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
    hub, zone, old = start(stage)
    status, answer = local.request(zone.api, "POST", "/_accept")
    expect(status == 409, f"accepted what is not there: {status} {answer}")
    put_back(hub, old)
    wait_held(hub, zone)
    hub.kill()
    status, answer = local.request(zone.api, "POST", "/_accept")
    expect(status == 200 and answer["held"]["removed"] >= ROUTES, f"{status} {answer}")
    local.wait_for("the routes are gone", lambda: routes_of(zone) == 0)
    hub.start()
    local.wait_for("the zone is live", lambda: state_of(hub, "east") == "Online")

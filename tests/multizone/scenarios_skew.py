"""Releases and clocks that differ: what is not understood is kept, what the clocks say
decides nothing."""
import os

import local
from story import expect, rounds, scenario, split


def link(zone):
    """What a zone says of its link to global."""
    return zone.get("/_status")["global"]


def overview(hub, name):
    """What global says of a zone."""
    return next((zone for zone in hub.get("/zones/_overview")["items"]
                 if zone["name"] == name), {})


def wait_same(hub, zones, seconds=10):
    """Until all zones are live, where global is, with one digest."""
    def same():
        head = hub.get("/")["revision"]
        links = [link(zone) for zone in zones]
        return all(one["state"] == "live" and one["durableRevision"] == head
                   and one["digest"] == links[0]["digest"] for one in links)

    local.wait_for("zones are where global is", same, seconds)


def answered_by(zone):
    """Which backend a connection through the Envoy of web reaches."""
    return local.greet("127.0.0.1", zone.outbounds["backend"])


@scenario()
def newer_release(stage):
    """F38: kinds and fields of a newer release are kept, said, and hurt nothing else."""
    hub = stage.mesh.start_global()
    east = stage.zone_with_backends("east", hub)
    west = stage.mesh.start_zone("west", hub)
    stage.start_envoys(east)
    stage.put_and_wait(hub, split({"v0": 1}))
    stage.put_and_wait(hub, split({"v0": 1}, name="other", to="nobody"))
    expect("notUnderstood" not in link(east), "all was understood so far")

    expect(hub.stop() == 0, "global did not end well")
    done = local.Process([os.path.join(stage.mesh.bin, "newer-release"),
                          os.path.join(hub.settings["data_dir"], "store")],
                         stage.mesh.path("newer.log"))
    expect(done.child.wait(10) == 0, done.tail())
    hub.start()
    wait_same(hub, (east, west))
    for _ in range(rounds(1, 5, 20)):
        expect(link(east)["notUnderstood"] == 3, f"not said: {link(east)}")
        local.wait_for("global knows", lambda: "not understood" in
                       overview(hub, "east").get("error", ""))
        expect(answered_by(east) == "backend-v0", "traffic changed")
        revision = stage.put(hub, split({"v1": 1}, name="other", to="nobody"))["revision"]
        stage.wait(hub, revision)
        expect(east.stop() == 0, "east did not end well")
        east.start()
        west.kill()
        west.start()
        wait_same(hub, (east, west))
    # What takes the place of a document with a new field is understood again.
    stage.put_and_wait(hub, split({"v1": 1}))
    local.wait_for("the new route has its effect",
                   lambda: answered_by(east) == "backend-v1")
    expect(link(east)["notUnderstood"] == 3, f"{link(east)}")
    wait_same(hub, (east, west))
    return "3 resources of an unknown kind, one with an unknown field"

"""Backups and damaged stores: what is restored is followed, what is damaged is not served."""
import json
import os
import threading
import time

import local
from story import expect, rounds, scenario, split


def routes(stage, hub, prefix, count, weight=1):
    """Store so many routes in one revision; that revision."""
    documents = [split({"v0": weight}, name=f"{prefix}-{i}", to=f"{prefix}-{i}")
                 for i in range(count)]
    status, answer = local.request(hub.api, "POST", "/_apply", documents)
    expect(status == 200, f"apply: {status} {answer}")
    stage.wait(hub, answer["revision"], "zones")
    return answer["revision"]


def has_route(daemon, name):
    """Does a daemon have this route?"""
    return local.request(daemon.api, "GET", f"/meshes/default/meshtcproutes/{name}")[0] == 200


def overview(hub, name):
    """What global says of a zone."""
    return next((zone for zone in hub.get("/zones/_overview")["items"]
                 if zone["name"] == name), {})


def damage(path):
    """Overwrite all of a store's file but its header."""
    with open(path, "r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(8192)
        file.write(b"\xa5" * (size - 8192))


def restore(stage, hub, snapshot):
    """Stop global, put the snapshot in the place of its store, start it; the old epoch."""
    epoch = hub.get("/")["epoch"]
    data_dir = hub.settings["data_dir"]
    stage.mesh.ctl("snapshot", "restore", snapshot, "--data-dir", data_dir, "--force", code=5)
    expect(hub.stop() == 0, "global did not end well")
    stage.mesh.ctl("snapshot", "restore", snapshot, "--data-dir", data_dir, code=5)
    stage.mesh.ctl("snapshot", "restore", snapshot, "--data-dir", data_dir, "--force")
    hub.start()
    return epoch


@scenario(needs_envoy=False)
def backup_is_restored_and_followed(stage):
    """Zones follow a restored global; what would remove much waits for an operator."""
    hub = stage.mesh.start_global()
    zones = [stage.mesh.start_zone(name, hub) for name in ("east", "west")]
    snapshot = stage.mesh.path("a.snapshot")
    routes(stage, hub, "kept", 30)
    revision = hub.get("/")["revision"]
    stage.mesh.ctl("snapshot", "save", snapshot, server=hub)
    stage.mesh.ctl("snapshot", "verify", snapshot)
    text = stage.mesh.ctl("snapshot", "inspect", snapshot)
    expect(f"revision  {revision}\n" in text, f"inspect: {text}")

    turns = rounds(1, 10, 100)
    for _ in range(turns):
        routes(stage, hub, "few", 3)
        epoch = restore(stage, hub, snapshot)
        expect(hub.get("/")["epoch"] != epoch, "a restored global goes on in its old epoch")
        expect(hub.get("/")["revision"] == revision, "not the snapshot's revision")
        for zone in zones:
            local.wait_for(f"{zone.name} follows", lambda z=zone: not has_route(z, "few-0"))
            expect(has_route(zone, "kept-29"), f"{zone.name} lost a route of the snapshot")

        routes(stage, hub, "many", 20)
        restore(stage, hub, snapshot)
        for zone in zones:
            local.wait_for(f"{zone.name} holds",
                           lambda z=zone: overview(hub, z.name).get("held"))
            expect(has_route(zone, "many-19"), f"{zone.name} removed routes unasked")
            stage.mesh.ctl("zones", "accept", zone.name, server=hub)
            local.wait_for(f"{zone.name} follows",
                           lambda z=zone: not has_route(z, "many-19"))
            expect(has_route(zone, "kept-29"), f"{zone.name} lost a route of the snapshot")
        routes(stage, hub, "after", 1)
        expect(all(has_route(zone, "after-0") for zone in zones),
               "a change did not arrive")
    for daemon in (hub, *zones):
        stage.mesh.ctl("store", "verify", daemon.settings["data_dir"])
    return f"{2 * turns} times restored"


@scenario(needs_envoy=False)
def backup_while_all_is_written(stage):
    """Snapshots taken under load are sound, and hold all that was acknowledged before."""
    hub, end, acked = stage.mesh.start_global(), threading.Event(), [0]

    def write():
        link = local.connect(hub.api)
        while not end.is_set():
            document = split({"v0": 1 + acked[0]}, name=f"r{acked[0] % 50}")
            status, answer = local.request(
                hub.api, "PUT", f"/meshes/default/meshtcproutes/{document['name']}",
                document, connection=link)
            if status not in (200, 201):
                return  # seen by: no more is acknowledged
            acked[0] = answer["revision"]

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for turn in range(rounds(5, 50, 500)):
            before, snapshot = acked[0], stage.mesh.path("a.snapshot")
            stage.mesh.ctl("snapshot", "save", snapshot, server=hub)
            facts = json.loads(stage.mesh.ctl("snapshot", "verify", snapshot, "-o", "json"))
            expect(facts["revision"] >= before, f"{facts}: {before} was acknowledged before")
            local.wait_for("writes go on", lambda b=before: acked[0] > b)
    finally:
        end.set()
        writer.join()
    left = sorted(os.listdir(hub.settings["data_dir"]))
    expect(not [name for name in left if name.startswith("snapshot")], f"left: {left}")
    return f"{turn + 1} snapshots, {acked[0]} writes"


@scenario(needs_envoy=False)
def damaged_global_says_how_to_go_on(stage):
    """Global does not start on a damaged store, and names the command that heals it."""
    hub = stage.mesh.start_global()
    snapshot, data_dir = stage.mesh.path("a.snapshot"), hub.settings["data_dir"]
    stage.put(hub, split({"v0": 1}))
    stage.mesh.ctl("snapshot", "save", snapshot, server=hub)
    hub.kill()
    damage(os.path.join(data_dir, "store", "data.mdb"))
    text = stage.mesh.ctl("store", "verify", data_dir, code=1)
    expect("DAMAGED" in text and "snapshot restore" in text, f"store verify: {text}")
    hub.start(wait=False)
    expect(hub.process.child.wait(10) == 1, "global started on a damaged store")
    expect("snapshot restore FILE" in hub.process.tail(), f"log: {hub.process.tail()}")
    with open(snapshot, "r+b") as file:
        file.seek(9000)
        byte = file.read(1)
        file.seek(9000)
        file.write(bytes([byte[0] ^ 1]))
    stage.mesh.ctl("snapshot", "verify", snapshot, code=1)
    stage.mesh.ctl("snapshot", "restore", snapshot, "--data-dir", data_dir, "--force", code=3)
    with open(snapshot, "r+b") as file:
        file.seek(9000)
        file.write(byte)
    text = stage.mesh.ctl("snapshot", "restore", snapshot, "--data-dir", data_dir, "--force")
    expect("store.before-" in text, f"restore: {text}")
    hub.start()
    expect(has_route(hub, "route-1"), "the route of the snapshot is not there")


@scenario()
def damaged_replica_is_copied_again(stage):
    """A zone with a damaged copy serves no part of it: Envoys keep what they have."""
    hub = stage.mesh.start_global()
    zone = stage.zone_with_backends("east", hub)
    stage.start_envoys(zone)
    stage.put_and_wait(hub, split({"v0": 100}))
    zone.kill()
    hub.kill()
    damage(os.path.join(zone.settings["data_dir"], "replica", "data.mdb"))
    for _ in range(2):  # also when it is started again meanwhile
        zone.start()
        time.sleep(2.5)  # longer than a zone waits for global at its start
        stage.expect_split(zone, {"backend-v0": 1.0}, total=200)
        expect(zone.stop() == 0, "the zone did not end well")
    zone.start()
    hub.start()
    local.wait_for("all proxies are back", lambda: zone.get(
        "/_status")["proxies"]["total"] == len(zone.proxies))
    stage.put_and_wait(hub, split({"v1": 100}))
    stage.expect_split(zone, {"backend-v1": 1.0}, total=200)
    changed = zone.envoys["web"].stats("listener_manager.listener_(modified|removed)")
    expect(not any(changed.values()), f"listeners were changed: {changed}")
    with open(zone.process.log, encoding="utf-8") as file:
        expect("copied again" in file.read(), "the log does not say it")
    expect(os.path.isdir(os.path.join(zone.settings["data_dir"], "replica.damaged")),
           "the damaged copy is gone")
    stage.mesh.ctl("store", "verify", zone.settings["data_dir"])

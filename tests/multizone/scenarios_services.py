"""Service objects: one address and one name each, the same everywhere and for ever."""
import os
import shutil

import local
from story import expect, rounds, scenario

SMALL = {"vips.mesh_service": "10.99.0.0/26"}  # so small that first choices collide


def service(name, port=80, labels=None):
    """A MeshService."""
    return {"type": "MeshService", "mesh": "default", "name": name, "labels": labels or {},
            "spec": {"selector": {"dataplaneTags": {"kuma.io/service": name}},
                     "ports": [{"port": port}]}}


def external(name):
    """A MeshExternalService."""
    return {"type": "MeshExternalService", "mesh": "default", "name": name,
            "spec": {"match": {"port": 9000},
                     "endpoints": [{"address": "10.0.0.1", "port": 9000}]}}


def mesh(mode):
    """The Mesh of all, where zones derive services or do not."""
    return {"type": "Mesh", "name": "default", "meshServices": {"mode": mode}}


def path_of(document):
    """Where a document stands in the API."""
    plural = {"MeshService": "meshservices", "MeshExternalService": "meshexternalservices",
              "MeshMultiZoneService": "meshmultizoneservices"}[document["type"]]
    return f"/meshes/{document['mesh']}/{plural}/{document['name']}"


def state(daemon, zone, name):
    """What a daemon says of a MeshService: (state, identities, grace), None: nothing."""
    status, item = local.request(daemon.api, "GET",
                                 f"/meshes/default/meshservices/{name}?zone={zone}")
    if status != 200:
        return None
    return (item["spec"].get("state"),
            [i["value"] for i in item["spec"].get("identities", [])],
            "kuma.io/deletion-grace-period-started-at" in item["labels"])


def put(daemon, document):
    """Write it."""
    status, answer = local.request(daemon.api, "PUT", path_of(document), document)
    expect(status in (200, 201), f"PUT {document['name']}: {status} {answer}")
    return answer


def delete(daemon, document):
    """Take it away."""
    status, answer = local.request(daemon.api, "DELETE", path_of(document))
    expect(status == 200, f"DELETE {document['name']}: {status} {answer}")


def listed(daemon, plural="meshservices"):
    """{(zone, name): (address, host name, first port)} of what a daemon shows."""
    shown = {}
    for item in daemon.get(f"/{plural}?size=1000")["items"]:
        status = item.get("status", {})
        vips = status.get("vips") or [status.get("vip") or {}]
        hosts = status.get("addresses") or [{}]
        ports = item["spec"].get("ports") or [item["spec"].get("match", {})]
        shown[item.get("labels", {}).get("kuma.io/zone"), item["name"]] = (
            vips[0].get("ip"), hosts[0].get("hostname"), ports[0]["port"])
    return shown


def agree(daemons, want, plural="meshservices"):
    """Wait until all daemons show want: all names with an address, and no others."""
    def same():
        shown = [listed(daemon, plural) for daemon in daemons]
        return set(shown[0]) == want and None not in [row[0] for row in shown[0].values()] \
            and all(one == shown[0] for one in shown)
    try:
        local.wait_for(f"all show the {plural}", same)
    except local.Failure as failure:
        shown = "\n".join(f"{d.name}: {listed(d, plural)}" for d in daemons)
        raise local.Failure(f"{failure}: {sorted(map(str, want))}\n{shown}") from failure
    return listed(daemons[0], plural)


def unmoved(before, now, but=()):
    """Does each that is there still have its address and its name?"""
    for key in set(before) & set(now) - set(but):
        expect(before[key][:2] == now[key][:2], f"{key}: {before[key]} became {now[key]}")


def second_global(stage, hub, snapshot, name):
    """Another global from a snapshot, with the keys of the first."""
    folder = stage.mesh.path(name)
    os.mkdir(folder, 0o700)
    for part in ("pki", "key"):
        source = os.path.join(hub.settings["data_dir"], part)
        (shutil.copytree if os.path.isdir(source) else shutil.copy2)(
            source, os.path.join(folder, part))
    stage.mesh.ctl("snapshot", "restore", snapshot, "--data-dir", folder)
    daemon = local.Daemon(stage.mesh, "zonelink-global", name, {
        "data_dir": folder, "api.listen": f"unix:{stage.mesh.path(name + '.sock')}",
        "sync.listen": "127.0.0.1:0", "diagnostics.listen": "127.0.0.1:0", **SMALL})
    stage.mesh.daemons.append(daemon)
    return daemon.start()


@scenario(needs_envoy=False)
def services_keep_their_addresses(stage):
    """A service of west has one address in all zones, and nothing that happens to others,
    a restart, or a restored backup moves it."""
    hub = stage.mesh.start_global(**SMALL)
    east, west = (stage.mesh.start_zone(name, hub) for name in ("east", "west"))
    everywhere = (hub, east, west)
    for i in range(12):
        put(west, service(f"s{i}"))
    put(east, service("s0"))  # another one
    names = {("west", f"s{i}") for i in range(12)} | {("east", "s0")}
    first = agree(everywhere, names)
    expect(len({row[0] for row in first.values()}) == 13, f"one address twice: {first}")
    expect(first["west", "s3"][1] == "s3.svc.west.mesh.local", f"{first}")
    text = stage.mesh.ctl("get", "meshservices", "-o", "wide", server=east)
    expect("HOSTNAME" in text and first["west", "s3"][0] in text, text)

    # Who claims an address has no say; renumbered, deleted, renamed: nobody else moves.
    put(west, {**service("s0", port=81), "status": {"vips": [{"ip": "10.99.0.62"}]}})
    delete(west, service("s1"))
    delete(west, service("s2"))
    put(west, service("renamed", labels={"was": "s2"}))
    for i in range(5):
        put(east, service(f"new{i}"))
    names = names - {("west", "s1"), ("west", "s2")} | {("west", "renamed")} | {
        ("east", f"new{i}") for i in range(5)}
    second = agree(everywhere, names)
    unmoved(first, second)
    expect(second["west", "s0"][2] == 81, f"{second}")

    # It comes back to its own address, also after a restart of global.
    expect(hub.stop() == 0, "global did not end well")
    hub.start()
    put(west, service("s1"))
    third = agree(everywhere, names | {("west", "s1")})
    unmoved(second, third)
    unmoved(first, third)

    # Killed while services arrive: what was seen holds, what was not comes.
    names.add(("west", "s1"))
    for turn in range(rounds(3, 10, 50)):
        late = {("west", f"late{turn}-{i}") for i in range(3)}
        for _, name in late:
            put(west, service(name))
        local.wait_for("one has arrived", lambda s=late: s & set(listed(hub)))
        seen = listed(hub)
        hub.kill()
        hub.start()
        now = agree(everywhere, names | late)
        unmoved(seen, now)
        unmoved(third, now)
        for _, name in late:
            delete(west, service(name))
    third = agree(everywhere, names)

    put(hub, external("api"))
    agree(everywhere, {(None, "api")}, "meshexternalservices")
    snapshot = stage.mesh.path("a.snapshot")
    stage.mesh.ctl("snapshot", "save", snapshot, server=hub)
    others = [second_global(stage, hub, snapshot, name) for name in ("second", "third")]
    for other in others:
        expect(listed(other) == third, f"{other.name}: {listed(other)}, not {third}")
    for other in (hub, *others):
        put(other, external("later"))
    shown = [listed(other, "meshexternalservices") for other in (hub, *others)]
    expect(shown[0] == shown[1] == shown[2], f"{shown}")
    expect(shown[0][None, "later"][1] == "later.extsvc.mesh.local", f"{shown}")


@scenario(needs_envoy=False)
def a_zone_alone_gives_addresses(stage):
    """Without global the zone gives the addresses, by the same rule; they outlive it."""
    east = stage.mesh.start_zone("east")
    put(east, service("db"))
    stage.mesh.put_file(east, "other.yaml", service("other"))
    put(east, {"type": "MeshMultiZoneService", "mesh": "default", "name": "db-all",
               "spec": {"selector": {"meshService": {"matchLabels": {"a": "b"}}},
                        "ports": [{"port": 1}]}})
    names = {("east", "db"), ("east", "other")}
    shown = agree((east,), names)
    expect(shown["east", "db"][:2] == ("241.173.130.67", "db.svc.east.mesh.local"),
           f"not the address of the rule: {shown}")
    multi = listed(east, "meshmultizoneservices")
    expect(multi[None, "db-all"][:2] == ("243.4.161.251", "db-all.mzsvc.mesh.local"),
           f"{multi}")
    east.kill()
    east.start()
    expect(agree((east,), names) == shown, "not the addresses from before")
    delete(east, service("db"))
    put(east, service("db", port=9))
    unmoved(shown, agree((east,), names))


@scenario(needs_envoy=False)
def derived_services_follow_dataplanes(stage):
    """Where the Mesh asks for it zones make a MeshService of each service; it is known
    everywhere, outlives its Dataplanes for a grace, and goes at once when nobody asks."""
    hub = stage.mesh.start_global()
    east, west = (stage.mesh.start_zone(name, hub, **{"services.deletion_grace": "3s"})
                  for name in ("east", "west"))
    everywhere = (hub, east, west)
    stage.mesh.backend(east, "b1", "backend")
    stage.mesh.backend(east, "down", "slow", state="NotReady")
    put(west, service("by-hand"))
    stage.mesh.backend(west, "b2", "by-hand")
    names = {("west", "by-hand")}
    agree(everywhere, names)
    status, answer = local.request(hub.api, "PUT", "/meshes/default", mesh("Everywhere"))
    expect(status == 200, f"{answer}")
    names |= {("east", "backend"), ("east", "slow")}
    first = agree(everywhere, names)
    for daemon in everywhere:
        local.wait_for(f"{daemon.name} knows the states", lambda d=daemon: (
            state(d, "east", "backend") == ("Available", ["backend"], False) and
            state(d, "east", "slow") == ("Unavailable", ["slow"], False) and
            state(d, "west", "by-hand") == ("Unavailable", [], False)))

    # Global and the zone begin anew; nothing is made twice, nothing moves.
    expect(hub.stop() == 0, "global did not end well")
    east.kill()
    east.start()
    stage.mesh.backend(east, "b3", "later")
    local.wait_for("east goes on without global", lambda: state(east, "east", "later"))
    hub.start()
    names |= {("east", "later")}
    second = agree(everywhere, names)
    unmoved(first, second)

    # The last Dataplane goes, and one of two comes back in time.
    stage.mesh.remove_file(east, "b1.yaml")
    stage.mesh.remove_file(east, "b3.yaml")
    for daemon in everywhere:
        local.wait_for(f"{daemon.name} knows of the grace", lambda d=daemon: state(
            d, "east", "backend") == ("Unavailable", [], True))
    stage.mesh.backend(east, "b3", "later")
    names -= {("east", "backend")}
    unmoved(second, agree(everywhere, names))
    local.wait_for("no grace is left of it", lambda: state(hub, "east", "later") == (
        "Available", ["later"], False))

    status, answer = local.request(hub.api, "PUT", "/meshes/default", mesh("Disabled"))
    expect(status == 200, f"{answer}")
    agree(everywhere, {("west", "by-hand")})
    status, answer = local.request(hub.api, "PUT", "/meshes/default", mesh("Exclusive"))
    expect(status == 200, f"{answer}")
    unmoved(second, agree(everywhere, names))

"""Disks that are full, break or cannot be written: it is said, and all else goes on."""
import errno
import itertools
import os

import local
from story import expect, rounds, scenario, split


class Disk:
    """The disk of one daemon, which does as it is told (tests/crash/faultdisk.c)."""

    def __init__(self, mesh, name):
        self.path = mesh.path(f"{name}.faults")
        self.library = os.path.join(os.path.dirname(mesh.bin), "lib", "libfaultdisk.so")

    def start(self, start, *args):
        """Call start, whose programs have this disk."""
        ours = {"LD_PRELOAD": self.library, "ZL_DISK_FAULTS": self.path,
                "ASAN_OPTIONS": "verify_asan_link_order=0"}
        os.environ.update(ours)
        try:
            return start(*args)
        finally:
            for name in ours:
                del os.environ[name]

    def fails(self, call, number, after=0):
        """From now on, after so many calls."""
        with open(self.path + ".new", "w", encoding="ascii") as file:
            file.write(f"{call} {number} {after}")
        os.rename(self.path + ".new", self.path)

    def heals(self):
        """All goes well."""
        os.unlink(self.path)


def put(hub, weight, name="route-1"):
    """PUT a route: status, content type, answer."""
    link = local.connect(hub.api)
    document = split({"v0": weight, "v1": 100 - weight}, name=name)
    status, answer = local.request(
        hub.api, "PUT", f"/meshes/default/meshtcproutes/{name}", document, connection=link)
    link.close()
    return status, answer


def ready(daemon):
    """The status of its readiness page."""
    return local.request(daemon.ready["diagnostics"][0], "GET", "/readyz")[0]


def put_until(hub, wanted, weight):
    """PUT until the answer has this status; the last weight that was acknowledged."""
    acknowledged = None
    for i in range(40):
        status, answer = put(hub, weight + i)
        if status == wanted:
            expect(answer["status"] == wanted and answer["detail"], f"no problem: {answer}")
            return acknowledged
        expect(status == 200, f"PUT: {status} {answer}")
        acknowledged = weight + i
    raise local.Failure(f"40 writes to a disk that fails: no {wanted}")


def weight_of(daemon):
    """The first weight of route-1."""
    rule = daemon.get("/meshes/default/meshtcproutes/route-1")["spec"]["to"][0]["rules"][0]
    return rule["default"]["backendRefs"][0]["weight"]


def still_served(zone):
    """A connection through the Envoy of web."""
    greeting = local.greet("127.0.0.1", zone.outbounds["backend"])
    expect(greeting.startswith("backend-v"), f"answer {greeting!r}")


def meshes(stage):
    """Global and a zone with Envoys, each with a disk of its own."""
    disks = [Disk(stage.mesh, name) for name in ("global", "east")]
    hub = disks[0].start(stage.mesh.start_global)
    zone = disks[1].start(stage.zone_with_backends, "east", hub)
    stage.start_envoys(zone)
    stage.put_and_wait(hub, split({"v0": 50, "v1": 50}))
    return hub, zone, disks


@scenario()
def full_disks(stage):
    """507 and nothing changed while a disk is full; after that all goes on by itself."""
    hub, zone, (of_hub, of_zone) = meshes(stage)
    turns = rounds(2, 20, 40)
    for turn in range(turns):
        weight = 1 + turn % 40
        of_hub.fails("pwrite", errno.ENOSPC, turn % 6)
        put_until(hub, 507, weight)
        revision = hub.get("/")["revision"]
        expect(put(hub, 99)[0] == 507, "a full disk took a write")
        expect(hub.get("/")["revision"] == revision and weight_of(hub) != 99,
               "a refused write had an effect")
        still_served(zone)
        expect(ready(hub) == 200, "a full disk is no reason to be restarted")
        of_hub.heals()
        stage.put_and_wait(hub, split({"v0": weight, "v1": 100 - weight}))

        of_zone.fails("pwrite", errno.ENOSPC, turn % 3)
        last = [put(hub, 50 + i) for i in range(4)][-1]
        expect(last[0] == 200, f"PUT: {last}")
        still_served(zone)
        of_zone.heals()
        stage.wait(hub, last[1]["revision"])
        expect(weight_of(zone) == 53, "the zone is not where global is")
    return f"{turns} full disks of each"


@scenario()
def broken_disks(stage):
    """After EIO nothing is acknowledged any more, reads go on; a restart heals."""
    hub, zone, (of_hub, of_zone) = meshes(stage)
    turns = rounds(2, 12, 40)
    for turn in range(turns):
        weight = 1 + turn % 40
        of_hub.fails(("fdatasync", "pwrite")[turn % 2], errno.EIO, turn // 2 % 6)
        acknowledged = put_until(hub, 503, weight) or weight_of(hub)
        of_hub.heals()
        expect(put(hub, 99)[0] == 503, "a write was acknowledged after EIO")
        expect(ready(hub) == 503, "global says that it is ready")
        expect(weight_of(hub) == acknowledged, "a refused write is shown")
        still_served(zone)
        hub.stop()
        of_hub.start(hub.start)
        expect(weight_of(hub) >= acknowledged, "an acknowledged write is gone")

        of_zone.fails(("pwrite", "fdatasync")[turn % 2], errno.EIO, turn // 2 % 3)
        weights = itertools.cycle(range(50, 90))

        def fails(weights=weights):
            status, answer = put(hub, next(weights))
            expect(status == 200, f"PUT: {status} {answer}")
            return ready(zone) == 503

        local.wait_for("the zone says that its store failed", fails)
        still_served(zone)
        of_zone.heals()
        zone.stop()
        of_zone.start(zone.start)
        local.wait_for("the zone is where global is",
                       lambda: weight_of(zone) == weight_of(hub))
        local.wait_for("all proxies are back", lambda: zone.get(
            "/_status")["proxies"]["total"] == len(zone.proxies))
    return f"{turns} broken disks of each"


def overwrite(path, data):
    """Let a file have this content."""
    with open(path, "wb") as file:
        file.write(data)


def make_folder(path):
    """Put a folder in the place of a file."""
    os.unlink(path)
    os.mkdir(path)


def openings(disk, folder):
    """What may be wrong with a store's folder: (what, do, undo, what is said of it).
    Nothing is said of what harms nobody."""
    lock = os.path.join(folder, "lock.mdb")
    cases = [
        ("lock.mdb may not be written", lambda: disk.fails("lock.mdb", errno.EACCES),
         disk.heals, "lock.mdb: Permission denied"),
        ("lock.mdb is on a read-only disk", lambda: disk.fails("lock.mdb", errno.EROFS),
         disk.heals, "lock.mdb: Read-only file system"),
        ("data.mdb is on a read-only disk", lambda: disk.fails("data.mdb", errno.EROFS),
         disk.heals, "data.mdb: Read-only file system"),
        ("lock.mdb is a folder", lambda: make_folder(lock), lambda: os.rmdir(lock),
         "lock.mdb: Is a directory"),
        ("lock.mdb is garbage", lambda: overwrite(lock, b"\xa5" * 8192), None, None),
        ("lock.mdb is empty", lambda: overwrite(lock, b""), None, None),
        ("lock.mdb is gone", lambda: os.unlink(lock), None, None),
    ]
    if os.geteuid() == 0:
        cases.append(("the folder is another user's", lambda: os.chown(folder, 12345, -1),
                      lambda: os.chown(folder, 0, -1), "belongs to user 12345"))
    return cases


@scenario(needs_envoy=False)
def stores_that_cannot_be_opened(stage):
    """F18: a store that cannot be written is named; a lock file that is gone is no loss."""
    disk = Disk(stage.mesh, "global")
    hub = disk.start(stage.mesh.start_global)
    expect(put(hub, 1)[0] == 201, "PUT")
    cases = openings(disk, os.path.join(hub.settings["data_dir"], "store"))
    for weight, (what, do, undo, said) in enumerate(cases, start=2):
        hub.kill()
        do()
        if said:
            disk.start(hub.start, False)
            expect(hub.process.child.wait(10) == 1, f"{what}: it does not end")
            expect(said in hub.process.tail(3), f"{what}: {hub.process.tail(3)}")
            undo()
        disk.start(hub.start)
        expect(weight_of(hub) == weight - 1, f"{what}: an acknowledged write is gone")
        expect(put(hub, weight)[0] == 200, f"{what}: no write afterwards")
    stage.mesh.ctl("store", "verify", hub.settings["data_dir"])
    return f"{len(cases)} sorts"

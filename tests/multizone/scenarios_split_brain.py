"""Two globals of one volume: a zone shows what one of them committed, never a mixture."""
import random
import shutil
import threading

import local
import network
from scenarios_skew import link
from story import expect, rounds, scenario, split


def names(daemon):
    """The routes that a daemon shows."""
    return {route["name"]
            for route in daemon.get("/meshes/default/meshtcproutes")["items"]}


class Look:
    """While it is entered: all that a zone shows at once is of one global."""

    def __init__(self, zone, ours, theirs):
        self.zone, self.marks, self.faults, self.looks = zone, (ours, theirs), [], 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def _watch(self):
        try:
            while not self.stop.wait(0.02):
                shown = names(self.zone)
                self.looks += 1
                if all(any(name.startswith(mark) for name in shown) for mark in self.marks):
                    self.faults.append(f"a mixture: {sorted(shown)}")
        except Exception as error:  # pylint: disable=broad-except  # the end of a thread
            self.faults.append(repr(error))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self.stop.set()
        self.thread.join()
        if kind is None:
            expect(self.looks and not self.faults, f"{self.looks} looks: {self.faults[:3]}")


def second_global(stage, hub):
    """Another global, of a copy of the volume of hub, which is stopped meanwhile."""
    expect(hub.stop() == 0, "global did not end well")
    copy = stage.mesh.path("copied")
    shutil.copytree(hub.settings["data_dir"], copy)
    hub.start()
    other = local.Daemon(stage.mesh, "zonelink-global", "copied", {
        **hub.settings, "data_dir": copy,
        "api.listen": f"unix:{stage.mesh.path('copied.sock')},127.0.0.1:0",
        "sync.listen": "127.0.0.1:0", "diagnostics.listen": "127.0.0.1:0"})
    stage.mesh.daemons.append(other)
    return other.start()


@scenario(needs_envoy=False)
def two_globals_of_one_volume(stage):
    """F21: a zone goes from one to the other: each time the alarm, and all that one has."""
    hub = stage.mesh.start_global()
    proxy = network.FaultProxy(hub.ready["sync"][0])
    east = stage.mesh.start_zone("east", hub, **{"global.sync": proxy.address})
    west = stage.mesh.start_zone("west", hub)
    stage.put_and_wait(hub, split({"v0": 1}))
    hubs, dice, last = (hub, second_global(stage, hub)), random.Random(7), 0
    marks, alarms = ("ours", "theirs"), 0
    for daemon, mark in zip(hubs, marks):
        for i in range(3):
            stage.put(daemon, split({"v0": 1}, name=f"{mark}-{i}"))
    with Look(east, *marks):
        for i in range(rounds(2, 10, 50)):
            daemon, mark = hubs[(i + 1) % 2], marks[(i + 1) % 2]
            for _ in range(dice.randrange(4)):
                stage.put(daemon, split({"v0": dice.randrange(1, 100)}, name=f"{mark}-0"))
            proxy.aim(daemon.ready["sync"][0])
            proxy.cut()

            def follows(daemon=daemon):
                head = daemon.get("/")
                return link(east)["state"] == "live" and names(east) == names(daemon) \
                    and link(east)["durableRevision"] == head["revision"]

            local.wait_for(f"east has what {mark} has", follows, 20)
            local.wait_for("west follows its own", lambda: names(west) == names(hub))
            revision = link(west)["revision"]
            expect(revision >= last, "west went back")
            last = revision
            with open(stage.mesh.path("east.log"), encoding="utf-8") as file:
                copies = file.read().count("a copy of global replaces the replica")
            expect(copies > alarms, "east went over without a word")
            alarms = copies
    return f"{i + 1} times from one to the other"

"""What goes wrong around a control plane: ends, abuse, doubles, refusals, changes of mind."""
import json
import os
import signal
import socket
import threading
import time

import local
from story import SERVICE, expect, scenario, split


def route_path(name):
    """Path of a MeshTCPRoute of mesh default."""
    return f"/meshes/default/meshtcproutes/{name}"


class Writers:
    """Threads that PUT routes at a daemon until its end; what each was told."""

    def __init__(self, daemon, count=4):
        self.daemon, self.acked, self.odd = daemon, {}, []
        self.threads = [threading.Thread(target=self._write, args=(i,))
                        for i in range(count)]
        for thread in self.threads:
            thread.start()

    def _write(self, writer):
        weight = 0
        link = local.connect(self.daemon.api)
        while True:
            weight += 1
            name = f"w{writer}"
            try:
                status, answer = local.request(
                    self.daemon.api, "PUT", route_path(name),
                    split({"v0": weight}, name=name, to=name), connection=link)
            except (OSError, local.http.client.HTTPException):
                try:
                    link = local.connect(self.daemon.api, 2)
                    link.connect()
                    continue  # an idle connection was closed: ask again on a new one
                except OSError:
                    return
            if status in (200, 201):
                self.acked[name] = weight
            elif status != 503:
                self.odd.append((status, answer))

    def join(self):
        """Wait until the daemon has ended for all of them."""
        for thread in self.threads:
            thread.join()


def weight_of(daemon, name):
    """The weight that a route written by Writers has."""
    rule = daemon.get(route_path(name))["spec"]["to"][0]["rules"][0]
    return rule["default"]["backendRefs"][0]["weight"]


@scenario()
def graceful_end_under_load(stage):
    """TERM with writes, waits and Envoys under way: status 0 at once, nothing lost."""
    hub = stage.mesh.start_global()
    zone = stage.zone_with_backends("east", hub)
    stage.start_envoys(zone)
    slowest = 0.0
    for turn in range(20 if stage.long else 3):
        writers = Writers(hub)
        revision = local.wait_for("writes", lambda w=writers: sum(
            w.acked.values()) > 100 and hub.get("/")["revision"])
        waiters = []
        for _ in range(20):
            link = local.connect(hub.api)
            link.request("GET", f"/_wait?revision={revision}&for=proxies&timeout=60s")
            waiters.append(link)
        hub.get("/")  # the waits before it have been read
        stage.mesh.backend(zone, f"new-{turn}", "new")  # a PUSH on its way
        begin = time.monotonic()
        ended = [hub.stop()] + ([zone.stop()] if turn % 2 else [])
        slowest = max(slowest, time.monotonic() - begin)
        writers.join()
        expect(not any(ended), f"ended with {ended}: {hub.process.tail()}")
        expect(not writers.odd, f"odd answers: {writers.odd[:3]}")
        for link in waiters:
            expect(link.getresponse().status == 200, "a waiter was not answered")
            link.close()
        hub.start()
        if turn % 2:
            zone.start()
        for name, weight in writers.acked.items():
            expect(weight_of(hub, name) >= weight,
                   f"{name} was acknowledged with {weight}, is {weight_of(hub, name)}")
    expect(slowest < 5, f"an end took {slowest:.1f} s")
    return f"slowest end {slowest * 1000:.0f} ms"

"""Networks and peers that fail: pauses, partitions, loss, delay, half-open, slow readers.

Zone east has the fault between itself and global, zone west has none. After a fault ends
each zone must be at global's revision, with one digest, without anybody's help; the time
that takes is what a scenario prints. While it lasts east's proxies serve what they have.
"""
import os
import random
import signal
import threading
import time

import local
import network
from network import DOWN, UP
from story import expect, rounds, scenario, split

SETTLED_WITHIN = 6.0  # seconds after a fault's end, the worst allowed


class Watch:
    """While it is entered: east's proxies answer, keep their listeners, and the zone's
    revision never goes back."""

    def __init__(self, zone):
        self.zone, self.answers, self.faults = zone, 0, []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def _listeners(self):
        return self.zone.envoys["web"].stats("listener_manager.total_listeners_active")

    def _watch(self):
        try:
            want, last = self._listeners(), 0
            while not self.stop.wait(0.02):
                self._look(want)
                if not self.zone.paused:
                    last = self._revision(last)
        except Exception as error:  # pylint: disable=broad-except  # the end of a thread
            self.faults.append(repr(error))

    def _look(self, want):
        name = local.greet("127.0.0.1", self.zone.outbounds["backend"])
        self.answers += 1
        if not name.startswith("backend-v"):
            self.faults.append(f"a connection was answered by {name!r}")
        found = self._listeners()
        if found != want:
            self.faults.append(f"listeners: {found}, not {want}")

    def _revision(self, last):
        try:
            revision = position(self.zone)[0]
        except (OSError, local.http.client.HTTPException):
            if self.zone.paused:
                return last
            raise
        if revision < last:
            self.faults.append(f"revision {revision} after {last}")
        return revision

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self.stop.set()
        self.thread.join()
        if kind is None:
            expect(self.answers, "the watch saw nothing")
            expect(not self.faults, f"{len(self.faults)} faults: {self.faults[:3]}")


class Cast:
    """Global, east with Envoys, west; and how long each fault took to heal. A fault proxy
    stands before global, as east sees it, or before east, as its Envoys see it."""

    def __init__(self, stage, before="global"):
        self.stage, self.dice, self.took = stage, random.Random(3), []
        self.hub = stage.mesh.start_global()
        address = self.hub.ready["sync"][0]
        self.port = int(address.rsplit(":", 1)[1])
        self.proxy = network.FaultProxy(address)
        setting = {"global": "global.sync", "east": "xds.advertise"}.get(before)
        self.east = stage.zone_with_backends("east", self.hub, **(
            {setting: self.proxy.address} if setting else {}))
        self.east.paused = False
        if before == "east":
            self.proxy.aim(self.east.ready["xds"][0])
        self.west = stage.mesh.start_zone("west", self.hub)
        stage.start_envoys(self.east)
        stage.put_and_wait(self.hub, split({"v0": 50, "v1": 50}))

    def write(self, count=1):
        """So many revisions; the last."""
        for _ in range(count):
            weight = self.dice.randrange(1, 100)
            answer = self.stage.put(self.hub, split({"v0": weight, "v1": 100 - weight}))
        return answer["revision"]

    def last(self):
        """Let a fault last for a while; for long now and then."""
        longest = rounds(2, 5, 10) if self.dice.random() < 0.98 else rounds(2, 20, 60)
        time.sleep(self.dice.uniform(0.2, longest))

    def meanwhile(self, note, name, within):
        """Ten writes under a fault that lets them through in time; note the time."""
        begin = time.monotonic()
        for _ in range(10):
            self.write()
            time.sleep(0.02)  # a message of its own for each
        self.settle(within=within)
        self.took.pop()
        note[name] = max(note.get(name, 0), time.monotonic() - begin)
        self.write()

    def settle(self, since=None, within=SETTLED_WITHIN):
        """Wait until both zones are where global is; note how long it took."""
        begin = since or time.monotonic()
        last = [None]

        def is_settled():
            head = self.hub.get("/")["revision"]
            last[0] = [position(zone) for zone in (self.east, self.west)]
            return last[0][0] == last[0][1] and last[0][0][0] == head \
                and all(state(zone) == "live" for zone in (self.east, self.west))

        try:
            local.wait_for("", is_settled, within)
        except local.Failure:
            raise local.Failure(
                f"not settled within {within:g} s: global has "
                f"{self.hub.get('/')['revision']}, east {last[0][0]}, west {last[0][1]}, "
                f"east's link: {self.east.get('/_status')['global']}") from None
        self.took.append(time.monotonic() - begin)

    def figures(self, watch):
        """What the table shows."""
        took = sorted(self.took)
        routes = [[zone.get(f"/meshes/default/meshtcproutes/{r['name']}")["spec"]
                   for r in zone.get("/meshes/default/meshtcproutes")["items"]]
                  for zone in (self.hub, self.east, self.west)]
        expect(routes[0] == routes[1] == routes[2], "the routes are not the same")
        return (f"{len(took)} faults, settled after {1000 * took[len(took) // 2]:.0f} ms "
                f"(p50), {1000 * took[-1]:.0f} ms (worst); "
                f"0 of {watch.answers} connections failed")


def listed(seconds):
    """{name: seconds} as text."""
    return ", ".join(f"{name}: {value:.1f} s" for name, value in seconds.items())


def position(zone):
    """Where a zone is: (revision, digest)."""
    link = zone.get("/_status")["global"]
    return link["revision"], link["digest"]


def state(zone):
    """How a zone sees its link to global."""
    return zone.get("/_status")["global"]["state"]


def pause(daemon):
    """SIGSTOP, as a machine that is frozen."""
    daemon.paused = True
    os.kill(daemon.process.child.pid, signal.SIGSTOP)


def resume(daemon):
    """End of pause()."""
    os.kill(daemon.process.child.pid, signal.SIGCONT)
    daemon.paused = False


@scenario()
def paused_global(stage):
    """F6: global stands still for a while, in the middle of writes."""
    cast = Cast(stage)
    with Watch(cast.east) as watch:
        for _ in range(rounds(3, 25, 250)):
            cast.write(20)
            pause(cast.hub)
            cast.last()
            resume(cast.hub)
            begin = time.monotonic()
            cast.write()
            cast.settle(begin)
    return cast.figures(watch)


@scenario()
def paused_zone(stage):
    """F6: a zone stands still for a while; the other one receives all the same."""
    cast = Cast(stage)
    with Watch(cast.east) as watch:
        for _ in range(rounds(3, 25, 250)):
            pause(cast.east)
            revision = cast.write(20)
            local.wait_for("west receives", lambda r=revision: position(
                cast.west)[0] >= r, 2)
            cast.last()
            resume(cast.east)
            cast.settle()
    return cast.figures(watch)


@scenario()
def cut_off(stage):
    """F7: east cut off both ways, one way, the other, and by resets."""
    cast = Cast(stage)
    faults = ((cast.proxy.hold, True), (lambda: cast.proxy.hold(UP), False),
              (lambda: cast.proxy.hold(DOWN), True),
              (lambda: (cast.proxy.refuse(), cast.proxy.cut()), True))
    with Watch(cast.east) as watch:
        for i in range(rounds(4, 60, 500)):
            begin, is_blind = faults[i % len(faults)]
            begin()
            revision = cast.write(20)
            cast.last()
            expect(position(cast.east)[0] < revision or not is_blind, "nobody is cut off")
            cast.proxy.refuse(False)
            cast.proxy.release()
            cast.settle()
    return cast.figures(watch)


@scenario(own_network=True)
def packets_dropped(stage):
    """F7: the kernel drops all packets of replication, both ways, one way, the other."""
    cast = Cast(stage, before=None)
    with Watch(cast.east) as watch:
        for i in range(rounds(6, 40, 500)):
            network.drop(cast.port, *((UP, DOWN), (UP,), (DOWN,))[i % 3])
            cast.write(20)
            cast.last()
            expect(network.dropped(), "no packet was dropped")
            network.drop_nothing()
            cast.settle()
    return cast.figures(watch)


@scenario(own_network=True)
def packets_lost(stage):
    """F9: 1, 5, 20 % of the packets lost: all arrives meanwhile; 50 %: after it."""
    cast, slowest, lost = Cast(stage, before=None), {}, 0
    with Watch(cast.east) as watch:
        for i in range(rounds(4, 40, 400)):
            share = (0.01, 0.05, 0.2, 0.5)[i % 4]
            network.drop(cast.port, share=share)
            if share < 0.5:
                cast.meanwhile(slowest, f"{100 * share:g} %", 30)
            else:
                cast.write(10)
                cast.last()
            lost += network.dropped()
            network.drop_nothing()
            cast.settle()
    expect(lost, "no packet was lost")
    return f"{cast.figures(watch)}; {lost} packets lost; ten writes at {listed(slowest)}"


@scenario()
def slow_network(stage):
    """F10: delays, jitter, 64 kbit/s: all arrives meanwhile, and does not come and go."""
    cast, slowest = Cast(stage), {}
    shapes = (("10 ms", {"delay": 0.01}), ("100 to 300 ms", {"delay": 0.1, "jitter": 0.2}),
              ("64 kbit/s", {"rate": 8000}), ("1 to 2 s", {"delay": 1, "jitter": 1}))
    with Watch(cast.east) as watch:
        for i in range(rounds(6, 60, 600)):
            name, shape = shapes[i % len(shapes)]
            cast.proxy.shape(**shape)
            cast.meanwhile(slowest, name, 30 if shape.get("delay", 0) < 1 else 90)
            expect(slowest[name] > shape.get("delay", 0), f"{name}: not delayed")
            cast.proxy.shape()
            cast.settle()
    return f"{cast.figures(watch)}; ten writes at {listed(slowest)}"


@scenario()
def proxies_cut_off(stage):
    """F8: Envoys cut off from their zone both ways, one way, and 1 to 50 times a second."""
    cast = Cast(stage, before="east")

    def follows(version):
        return local.greet("127.0.0.1", cast.east.outbounds["backend"]) == \
            f"backend-{version}"

    def hold(version, *ways):
        cast.proxy.hold(*ways)
        stage.put(cast.hub, split({version: 1}))
        cast.last()
        expect(UP in ways or not follows(version), "nobody is cut off")
        cast.proxy.release()

    def flap(version):
        hertz = cast.dice.uniform(1, 50)
        for _ in range(int(2 * hertz)):
            time.sleep(1 / hertz)
            cast.proxy.cut()
        stage.put(cast.hub, split({version: 1}))

    stage.put_and_wait(cast.hub, split({"v1": 1}))
    with Watch(cast.east) as watch:
        for i in range(rounds(10, 100, 1000)):
            version = f"v{i % 2}"
            fault = (hold, lambda v: hold(v, UP), lambda v: hold(v, DOWN), flap)[i // 2 % 4]
            fault(version)
            begin = time.monotonic()
            local.wait_for("web follows", lambda v=version: follows(v), SETTLED_WITHIN)
            cast.took.append(time.monotonic() - begin)
    return cast.figures(watch)


@scenario()
def peer_vanished(stage):
    """F11: the connections of east end without a word to anybody; it makes new ones."""
    cast = Cast(stage)
    with Watch(cast.east) as watch:
        for _ in range(rounds(2, 20, 200)):
            cast.proxy.forget()
            revision = cast.write(5)
            expect(position(cast.east)[0] < revision, "the old connections still work")
            cast.settle()
    return cast.figures(watch)


@scenario(own_network=True)
def killed_unseen(stage):
    """F11: a zone is killed while no packet tells global; it is back before its lease."""
    cast = Cast(stage, before=None)
    with Watch(cast.east) as watch:
        for _ in range(rounds(3, 20, 200)):
            network.drop(cast.port)
            pause(cast.east)  # what it does not see is not its fault
            cast.east.kill()
            cast.write(5)
            network.drop_nothing()
            begin = time.monotonic()
            cast.east.start()
            cast.east.paused = False
            cast.settle(begin)
    return cast.figures(watch)


@scenario()
def links_cut_again_and_again(stage):
    """F14: under writes one connection after another is reset, so that hints are lost."""
    cast = Cast(stage)
    with Watch(cast.east) as watch:
        for _ in range(rounds(4, 50, 1000)):
            for _ in range(5):
                cast.write(cast.dice.randrange(1, 20))
                cast.proxy.cut(1)
            cast.write(3)
            cast.settle()
    return cast.figures(watch)


def resident(daemon):
    """Resident memory of a process, in MiB."""
    with open(f"/proc/{daemon.process.child.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / (1 << 20)


def delays(cast, count):
    """The time from so many PUTs to west, each."""
    found = []
    for _ in range(count):
        begin = time.monotonic()
        revision = cast.write()
        while position(cast.west)[0] < revision:
            expect(time.monotonic() - begin < 5, "west does not receive")
        found.append(time.monotonic() - begin)
    return found


def compare(calm, troubled):
    """Fail if trouble more than doubles what changes take, 50 ms aside: the p99 where there
    are enough of them to tell. As text."""
    def rank(times, percent):
        return 1000 * sorted(times)[len(times) * percent // 100]

    percent = 99 if min(len(calm), len(troubled)) >= 500 else 90
    before, now = rank(calm, percent), rank(troubled, percent)
    text = f"west's p{percent} {now:.1f} ms ({before:.1f} calm)"
    expect(now < 2 * before + 50, text)
    return text


@scenario(alone=True)
def slow_reader(stage):
    """F12: east reads nothing during many revisions: west and global do not feel it."""
    cast, revisions = Cast(stage), rounds(500, 5000, 100000)
    with Watch(cast.east) as watch:
        for _ in range(rounds(2, 5, 20)):
            calm, before = delays(cast, rounds(100, 1000, 5000)), resident(cast.hub)
            pause(cast.east)
            stuck = delays(cast, revisions)
            more = resident(cast.hub) - before
            lag = next(z["lag"] for z in cast.hub.get("/zones/_overview")["items"]
                       if z["name"] == "east")
            expect(lag > revisions // 2, f"east is only {lag} behind")
            expect(more < 64, f"global grew by {more:.0f} MiB")
            compared = compare(calm, stuck)
            resume(cast.east)
            cast.settle()
    return (f"{cast.figures(watch)}; {revisions} revisions: {compared}, "
            f"global +{more:.1f} MiB")


@scenario(alone=True)
def strangers_at_the_gate(stage):
    """Aborted greetings and silent connections: changes pass, a zone comes back."""
    cast = Cast(stage)
    silent, aborted, total = rounds(100, 500, 500), rounds(1000, 8000, 100000), 0
    calm, stormy = [], []
    with Watch(cast.east) as watch:
        while total < aborted or len(stormy) < 100:
            calm += delays(cast, 20)
            with network.Strangers(cast.hub.ready["sync"][0], silent) as strangers:
                before = strangers.wait(100)
                stormy += delays(cast, 20)
                cast.proxy.cut()
                cast.settle()
                total += strangers.wait(before + 100)
    return (f"{cast.figures(watch)}; {total} aborted, {silent} silent: "
            f"{compare(calm, stormy)}")

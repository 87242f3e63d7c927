"""An apply of 10,000 documents is at global and in every zone whole or not at all."""
import http.client
import json
import os
import random
import threading
import time

import local
from story import expect, rounds, scenario, split

DOCUMENTS = 10000


def batch(turn):
    """The documents of one apply, as they are sent."""
    return json.dumps([split({"v0": 1}, name=f"b{turn}-{i:05}", to=f"s{i % 50}")
                       for i in range(DOCUMENTS)])


def count(daemon, turn):
    """How many documents of a batch a daemon has; None while it does not answer."""
    try:
        link = local.connect(daemon.api, 30)
        status, answer = local.request(
            daemon.api, "GET", f"/meshes/default/meshtcproutes?size=1&name=b{turn}-",
            connection=link)
        link.close()
    except (OSError, http.client.HTTPException):
        return None
    return answer["total"] if status == 200 else None


class Watch:
    """A thread that counts a batch at a daemon again and again."""

    def __init__(self, daemon, turn):
        self.daemon, self.turn = daemon, turn
        self.parts, self.looks, self.stop = [], 0, False
        self.thread = threading.Thread(target=self._look)
        self.thread.start()

    def _look(self):
        while not self.stop:
            found = count(self.daemon, self.turn)
            self.looks += found is not None
            time.sleep(0.02)  # not to be the load itself
            if found not in (None, 0, DOCUMENTS):
                self.parts.append(found)

    def end(self):
        """Stop; fails if a part was ever seen. How often it looked."""
        self.stop = True
        self.thread.join()
        expect(not self.parts, f"{self.daemon.name} had parts of a batch: {self.parts[:5]}")
        return self.looks


def apply(hub, body, told):
    """Send a batch; what was told stays in the list."""
    try:
        link = local.connect(hub.api, 60)
        told.append(local.request(hub.api, "POST", "/_apply", body, connection=link))
        link.close()
    except (OSError, http.client.HTTPException):
        told.append((0, "no answer"))


def whole_or_not(hub, zones, turn, told):
    """Wait until the zones are where global is; is the batch there? In the end all agree."""
    found = count(hub, turn)
    status, answer = told[0]
    expect(found in (0, DOCUMENTS), f"global has {found} documents of a batch")
    expect(status in (0, 200, 503), f"apply: {status} {answer}")
    expect(status != 200 or found == DOCUMENTS, "an acknowledged batch is gone")
    for zone in zones:
        local.wait_for(f"{zone.name} has {found} of batch {turn}",
                       lambda z=zone: count(z, turn) == found, 60)
    return found == DOCUMENTS


@scenario(needs_envoy=False)
def killed_during_an_apply_of_10000(stage):
    """kill -9 of global or a zone during a large apply and its way: no part is ever seen."""
    hub = stage.mesh.start_global()
    zones = [stage.mesh.start_zone(name, hub) for name in ("east", "west")]
    begin, told = time.monotonic(), []
    apply(hub, batch(0), told)
    answered = time.monotonic() - begin
    expect(whole_or_not(hub, zones, 0, told), f"apply: {told}")
    usual = time.monotonic() - begin
    dice, looks, whole, turns = random.Random(5), 0, 0, rounds(2, 6, 12)
    for turn in range(1, turns + 1):
        body, told = batch(turn), []
        watches = [Watch(daemon, turn) for daemon in (hub, *zones)]
        sender = threading.Thread(target=apply, args=(hub, body, told))
        sender.start()
        victim = (hub, zones[0], zones[1])[turn % 3 - 1]
        # The moment is what varies, from early to late; of global, before it answers.
        share = ((turn - 1) // 3 + dice.random()) / ((turns + 2) // 3)
        time.sleep(share * (0.9 * answered if victim is hub else usual))
        victim.kill()
        victim.start(wait=False)
        local.wait_for(f"{victim.name} is back", lambda v=victim: os.path.exists(
            stage.mesh.path(f"{v.name}.ready")), 60)  # it has much to read
        victim.wait_ready()
        sender.join()
        whole += whole_or_not(hub, zones, turn, told)
        looks += sum(watch.end() for watch in watches)
    for daemon in (hub, *zones):
        stage.mesh.ctl("store", "verify", daemon.settings["data_dir"])
    return (f"{usual:.1f} s unkilled, {turns} kills, {whole} batches whole, "
            f"looked {looks} times, no part")

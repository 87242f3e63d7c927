"""Zones join, renew, are revoked, disabled and retired."""
import json

import local
from story import expect, scenario, split


def joined(zone):
    """What the zone says of its membership."""
    return zone.get("/_status")["join"]


def has_state(zone, state):
    """Wait until the zone says so; what it says."""
    local.wait_for(f"{zone.name} is {state}: {joined(zone)}",
                   lambda: joined(zone)["state"] == state)
    return joined(zone)


def line_of(daemon, *words):
    """The last line of the daemon's log with all the words, or None."""
    with open(daemon.process.log, encoding="utf-8", errors="replace") as file:
        lines = [line for line in file if all(word in line for word in words)]
    return lines[-1] if lines else None


def said(daemon, *words):
    """Wait for a log line with all the words."""
    return local.wait_for(f"{daemon.name} logs {words}", lambda: line_of(daemon, *words))


@scenario(needs_envoy=False)
def join_and_restart(stage):
    """A zone joins with a token, and after that needs neither it nor a running API."""
    hub = stage.mesh.start_global()
    zone = stage.zone_with_backends("east", hub)
    stage.put_and_wait(hub, split({"v0": 1}))
    first = has_state(zone, "joined")
    names = [item["name"] for item in hub.get("/zones")["items"]]
    expect(names == ["east"], f"the Zone was not made with the token: {names}")
    certificates = hub.get("/zones/east/_certificates")
    expect([c["serial"] for c in certificates["certificates"]] == [first["serial"]] and
           certificates["tokens"][0]["state"] == "used", f"{certificates}")
    del zone.settings["global.token_file"]
    zone.kill()
    zone.start()
    stage.put_and_wait(hub, split({"v0": 2}))
    expect(has_state(zone, "joined")["serial"] == first["serial"],
           "a restart took another certificate")

"""What proxies report of their connections, beside what they were told to do."""
import json
import socket
import time

import local
from story import SERVICE, expect, scenario, split


def observed(stage, zone, *options):
    """What `explain --observed` says of the outbound to `backend`: {version: observed},
    and the warnings."""
    text = stage.mesh.ctl("explain", "web", "--observed", *options, "-o", "json",
                          server=zone)
    answer = json.loads(text)
    for outbound in answer["proxies"][0]["outbounds"]:
        if outbound["destination"]["name"] == "backend":
            return {ref.get("tags", {}).get("version", ref["name"]): ref["observed"]
                    for ref in outbound["backends"]}, answer["warnings"]
    raise local.Failure(f"no outbound to backend: {answer}")


def until_counted(stage, zone, total, seconds=10.0):
    """Wait until as many connections are shown; {version: observed}."""
    seen = {}

    def is_there():
        nonlocal seen
        seen = observed(stage, zone)[0]
        return sum(one.get("connections", 0) for one in seen.values()) >= total

    local.wait_for(f"{total} observed connections", is_there, seconds)
    return seen


def started(stage, weights):
    """A zone whose web splits so, once its Envoy reports under these weights."""
    zone = stage.zone_with_backends("east", None)
    stage.start_envoys(zone)
    text = json.dumps(split(weights))
    stage.mesh.ctl("apply", "-f", "-", server=zone, stdin=text)
    until_open(stage, zone)
    return zone


def until_open(stage, zone):
    """Wait until the window of the split that is in force is open."""
    def is_open():
        seen = observed(stage, zone)[0].values()
        return all("since" in one and "pending" not in one for one in seen)

    local.wait_for("a window", is_open)


@scenario()
def observed_split_appears(stage):
    """70/30 by real connections is shown within 10 s, exactly, with its chance."""
    zone = started(stage, {"v0": 70, "v1": 30})
    counts = local.count_greetings(zone.outbounds["backend"], 1000)
    begin = time.monotonic()
    seen = until_counted(stage, zone, 1000)
    seconds = time.monotonic() - begin
    for version, share in (("v0", 0.7), ("v1", 0.3)):
        one = seen[version]
        expect(one["connections"] == counts[f"backend-{version}"],
               f"observed {seen}, clients counted {counts}")
        expect(one["expected"] == share and one["ok"], f"{version}: {one}")
        expect(one["interval"][0] <= one["share"] <= one["interval"][1], f"{one}")
    with socket.create_connection(("127.0.0.1", zone.outbounds["backend"])) as link:
        link.sendall(b"x")
        expect(link.recv(64), "the connection was closed")
        local.wait_for("an open one", lambda: sum(
            one["open"] for one in observed(stage, zone)[0].values()) == 1)
    until_counted(stage, zone, 1001)
    prose = stage.mesh.ctl("explain", "web", "--observed", server=zone)
    expect("configured 70.0 %" in prose, prose)
    metrics = zone.metrics()
    name = ('zonelink_observed_connections_total{mesh="default",destination="backend",'
            f'backend="{SERVICE}{{version=v0}}"}}')
    expect(0 <= metrics.get(name, -1) - counts["backend-v0"] <= 1, f"{name}: {metrics.get(name)}")
    sums = zone.get("/meshes/default/_observed")["splits"]
    expect([s["connections"] for s in sums if s["destination"] == "backend"] == [1001],
           f"{sums}")
    wide = stage.mesh.ctl("get", "meshtcproutes", "-o", "wide", server=zone)
    expect("OBSERVED" in wide and " of 1001" in wide, wide)
    return f"1000 connections, exact, shown after {seconds:.1f} s"


@scenario()
def observed_refusal_is_warned_of(stage):
    """A backend that refuses is missing in the observed split, which is warned of."""
    zone = started(stage, {"v0": 67, "v1": 33})
    zone.envoys["backend-v1"].process.end()

    def is_warned():
        local.count_greetings(zone.outbounds["backend"], 200)
        return any("observed 100 % of" in text and "configured 67 %" in text
                   for text in observed(stage, zone)[1])

    local.wait_for("the warning", is_warned, 60)
    seen = observed(stage, zone)[0]
    expect(seen["v0"]["share"] == 1 and not seen["v0"]["ok"], f"{seen}")
    expect(seen["v1"]["connections"] == 0, f"{seen}")


@scenario()
def observed_window_closes_with_a_change(stage):
    """A changed split is counted anew; what was before does not spoil it."""
    zone = started(stage, {"v0": 70, "v1": 30})
    local.count_greetings(zone.outbounds["backend"], 400)
    until_counted(stage, zone, 400)
    text = json.dumps(split({"v0": 10, "v1": 80, "gone": 10}))
    stage.mesh.ctl("apply", "-f", "-", server=zone, stdin=text)
    until_open(stage, zone)
    counts = local.count_greetings(zone.outbounds["backend"], 600)
    answered = sum(count for name, count in counts.items() if name)
    seen = until_counted(stage, zone, answered)
    expect(seen["v0"]["connections"] == counts["backend-v0"] and
           seen["v1"]["connections"] == counts["backend-v1"], f"{seen}, {counts}")
    expect(abs(seen["v0"]["expected"] - 1 / 9) < 0.001 and seen["v0"]["ok"], f"{seen}")
    expect(seen["gone"]["reason"] == "blackhole", f"{seen}")


@scenario()
def observed_endpoints(stage):
    """Endpoints are counted while somebody asks for them."""
    zone = started(stage, {"v0": 100})
    expect(observed(stage, zone, "--endpoints")[0]["v0"]["endpoints"] == [],
           "endpoints that nobody asked for were reported")

    def has_endpoints():
        local.count_greetings(zone.outbounds["backend"], 10)
        return observed(stage, zone, "--endpoints")[0]["v0"]["endpoints"]

    local.wait_for("endpoints", has_endpoints)
    ends = observed(stage, zone, "--endpoints")[0]["v0"]["endpoints"]
    expect(len(ends) == 1 and ends[0]["connections"] >= 10, f"{ends}")
    stage.mesh.ctl("explain", "web", "--endpoints", server=zone, code=2)


@scenario()
def observed_sums_of_zones(stage):
    """Global adds up what zones report of one route with the same weights."""
    hub = stage.mesh.start_global()
    zones = [stage.zone_with_backends(name, hub) for name in ("east", "west")]
    for zone in zones:
        stage.start_envoys(zone)
    stage.put_and_wait(hub, split({"v0": 70, "v1": 30}))
    for zone in zones:
        until_open(stage, zone)
        local.count_greetings(zone.outbounds["backend"], 300)
    local.wait_for("the sum of both zones", lambda: [
        (one["zones"], one["connections"]) for one in
        hub.get("/meshes/default/_observed")["splits"]] == [(2, 600)], 40)
    wide = stage.mesh.ctl("get", "meshtcproutes", "-o", "wide", server=hub)
    expect("backend: " in wide and " of 600" in wide, wide)

"""Zones that fall silent: demoted, withdrawn, and never for another's fault."""
import json
import signal
import socket
import time

import local
from story import expect, scenario, split

FAST = {"zones.stale_after": "2s", "zones.withdraw_after": "5s"}
GRACE = 10.5  # seconds after its start in which global holds silence against nobody


def offer(stage, zone, *services, port=None):
    """Let zone offer services by an ingress, an echo server unless port says which."""
    port = port or stage.mesh.echo.start(f"ingress-{zone.name}")
    for service in services:
        stage.mesh.backend(zone, f"{zone.name}-{service}", service)
    stage.mesh.put_file(zone, "ingress.yaml", {
        "type": "ZoneIngress", "name": f"ingress-{zone.name}", "networking": {
            "address": "127.0.0.1", "port": local.free_port(),
            "advertisedAddress": "127.0.0.1", "advertisedPort": port}})


def places(stage, zone, service="backend", proxy="web"):
    """{zone: priority} of the endpoints that an outbound's first backend has."""
    backend = stage.routes(zone, proxy)[service]["backends"][0]
    return {e["zone"]: e["priority"] for e in backend.get("endpoints", [])}


def condition(hub, zone):
    """What global says of a zone."""
    return hub.get(f"/zones/{zone}").get("status", {}).get("condition", "Online")


def stays(text, seconds, holds):
    """Fail with text unless holds() is true all the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        expect(holds(), text)
        time.sleep(0.1)


@scenario(alone=True)
def silent_zone_comes_last(stage):
    """A zone that dies is demoted in time, others take over; it is back when it is heard."""
    hub, up = stage.mesh.start_global(**FAST), time.monotonic()
    east = stage.zone_with_backends("east", hub)
    south, west = stage.mesh.start_zone("south", hub), stage.mesh.start_zone("west", hub)
    for zone in (south, west):
        offer(stage, zone, "far-away")
    stage.start_envoys(east)
    stage.put_and_wait(hub, split({"far-away": 1}))
    local.wait_for("east sees both", lambda: places(stage, east) == {"south": 0, "west": 0})
    port = east.outbounds["backend"]
    local.wait_for("both answer", lambda: set(local.count_greetings(port, 60)) == {
        "ingress-south", "ingress-west"})

    local.wait_for("global is up for a while", lambda: time.monotonic() > up + GRACE)
    west.kill()
    begin = time.monotonic()
    local.wait_for("all traffic goes south", lambda: set(
        local.count_greetings(port, 20)) == {"ingress-south"})
    took = time.monotonic() - begin
    expect(took <= 3.0, f"traffic went elsewhere after {took:.1f} s, not 2 s + 1 s")
    expect(places(stage, east) == {"south": 0, "west": 1}, f"{places(stage, east)}")
    expect(condition(hub, "west") == "Stale", condition(hub, "west"))
    text = stage.mesh.ctl("explain", "web", server=east)
    expect('zone "west" is Stale, last heard of at' in text and "come last" in text, text)
    overview = next(z for z in hub.get("/zones/_overview")["items"] if z["name"] == "west")
    expect(overview["state"] == "Stale" and "nothing heard" in overview["error"],
           json.dumps(overview))
    metrics = hub.metrics()
    expect(metrics['zonelink_zone_condition{zone="west"}'] == 1 and
           metrics['zonelink_zone_condition{zone="south"}'] == 0, "the metrics differ")
    seen = east.get("/_status")["zones"]
    expect([(z["name"], z["condition"], z["here"]) for z in seen] == [
        ("west", "Stale", "Stale")], json.dumps(seen))
    # Who writes the Zone meanwhile does not wake it.
    status, answer = local.request(hub.api, "PUT", "/zones/west", {
        "type": "Zone", "name": "west", "labels": {"a": "b"}})
    expect(status == 200 and condition(hub, "west") == "Stale", f"{status} {answer}")
    west.start()
    local.wait_for("west is back", lambda: places(stage, east) == {"south": 0, "west": 0})
    local.wait_for("both answer again", lambda: set(local.count_greetings(port, 60)) == {
        "ingress-south", "ingress-west"})
    return f"elsewhere after {took:.1f} s"


def listen(port=0):
    """A socket that takes connections, and its port."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(64)
    return listener, listener.getsockname()[1]


@scenario(needs_envoy=False)
def absent_zone_is_withdrawn(stage):
    """A zone that is silent and does not answer is withdrawn, but not from who has only it."""
    hub, up = stage.mesh.start_global(**FAST), time.monotonic()
    east, south, west = (stage.mesh.start_zone(n, hub) for n in ("east", "south", "west"))
    listener, port = listen()
    offer(stage, south, "far-away")
    offer(stage, west, "far-away", "only-west", port=port)
    stage.mesh.client(east, "caller", ["far-away", "only-west"])

    def sees(service):
        return places(stage, east, service, "caller")

    local.wait_for("east knows its proxy", lambda: east.get(
        "/meshes/default/dataplanes")["total"] == 1)
    local.wait_for("east sees both", lambda: sees("far-away") == {"south": 0, "west": 0}
                   and sees("only-west") == {"west": 0})
    local.wait_for("global is up for a while", lambda: time.monotonic() > up + GRACE)
    west.kill()
    local.wait_for("west is Stale", lambda: condition(hub, "west") == "Stale")
    # It answers, so it is not withdrawn, how long it may be silent.
    stays("withdrawn though it answers", 7, lambda: condition(hub, "west") == "Stale"
          and sees("far-away") == {"south": 0, "west": 1})
    listener.close()
    local.wait_for("west is Offline", lambda: condition(hub, "west") == "Offline")
    local.wait_for("east has withdrawn it", lambda: sees("far-away") == {"south": 0})
    expect(sees("only-west") == {"west": 0}, f"no floor: {sees('only-west')}")
    text = stage.mesh.ctl("explain", "caller", server=east)
    expect("its endpoints are withdrawn" in text and
           "there are no other endpoints, so those stay" in text, text)
    listener, _ = listen(port)
    local.wait_for("an answer brings it back", lambda: condition(hub, "west") == "Stale"
                   and sees("far-away") == {"south": 0, "west": 1})
    west.start()
    local.wait_for("its word puts it back in its place", lambda: sees("far-away") == {
        "south": 0, "west": 0} and condition(hub, "west") == "Online")
    listener.close()


@scenario(needs_envoy=False)
def nobody_is_demoted_for_globals_fault(stage):
    """While global is dead or stopped, and after it, every zone keeps its place."""
    hub = stage.mesh.start_global(**FAST)
    east = stage.zone_with_backends("east", hub)
    west = stage.mesh.start_zone("west", hub)
    offer(stage, west, "far-away")
    stage.put(hub, split({"far-away": 1}))
    local.wait_for("east sees west", lambda: places(stage, east) == {"west": 0})
    for how in ("kill", "stop"):
        if how == "kill":
            hub.kill()
        else:
            hub.process.child.send_signal(signal.SIGSTOP)
        # Twice the time after which silence demotes, without and with global.
        stays(f"{how}: demoted", 4, lambda: places(stage, east) == {"west": 0})
        if how == "kill":
            hub.start()
        else:
            hub.process.child.send_signal(signal.SIGCONT)
        stays(f"{how}: Stale", 4, lambda: condition(hub, "west") == "Online")
    expect(places(stage, east) == {"west": 0}, f"{places(stage, east)}")

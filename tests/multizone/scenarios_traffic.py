"""Splits, redirections and changes, seen by connections through real Envoys."""
import socket
import threading
import time

import local
from story import SERVICE, example, expect, scenario, split

HELD = 100


@scenario()
def split_in_two_zones(stage):
    """The documentation's split, Universal and Kubernetes form, in two zones."""
    hub = stage.mesh.start_global()
    zones = [stage.zone_with_backends(name, hub) for name in ("east", "west")]
    for zone in zones:
        stage.start_envoys(zone)
    for file, service in (("split.yaml", "backend"), ("split-kubernetes.yaml", SERVICE)):
        stage.mesh.ctl("apply", "-f", example(file), "--wait", server=hub)
        for zone in zones:
            stage.expect_split(zone, {"backend-v0": 0.9, "backend-v1": 0.1}, service)
    return "90/10 in both forms and zones, 2000 connections each"


@scenario()
def redirect_in_two_zones(stage):
    """The documentation's redirection, Universal and Kubernetes form, in two zones."""
    hub = stage.mesh.start_global()
    services = ("external-backend", "external-backend_kuma-demo_svc_8080")
    zones = [stage.zone_with_backends(name, hub, extra=services)
             for name in ("east", "west")]
    for zone in zones:
        stage.start_envoys(zone)
    for file, service, answers in (
            ("redirect.yaml", "backend", services[0]),
            ("redirect-kubernetes.yaml", SERVICE, services[1])):
        stage.mesh.ctl("apply", "-f", example(file), "--wait", server=hub)
        for zone in zones:
            stage.expect_split(zone, {answers.replace("_", "-"): 1.0}, service, 500)


@scenario()
def unresolved_share_is_closed(stage):
    """A backendRef that no zone offers keeps its share, which is closed, and is named."""
    hub = stage.mesh.start_global()
    zone = stage.zone_with_backends("east", hub, versions=("v0",))
    stage.start_envoys(zone)
    stage.put_and_wait(hub, split({"v0": 90, "gone": 10}))
    stage.expect_split(zone, {"backend-v0": 0.9, "": 0.1})
    refs = stage.routes(zone)["backend"]["backends"]
    expect(not refs[1]["resolved"] and "gone" in refs[1]["reason"], f"explain: {refs}")


@scenario()
def changes_cut_no_connection(stage):
    """100 connections live through 50 weight changes and 10 s more, drain time 3 s."""
    hub = stage.mesh.start_global()
    zone = stage.zone_with_backends("east", hub)
    stage.start_envoys(zone, drain_seconds=3)
    stage.put_and_wait(hub, split({"v0": 50, "v1": 50}))
    held = [socket.create_connection(("127.0.0.1", zone.outbounds["backend"]), 5)
            for _ in range(HELD)]
    for link in held:
        link.settimeout(5)
        link.sendall(b"x")
        expect(link.recv(64), "a connection was closed before the first change")
    for i in range(1, 51):
        stage.put_and_wait(hub, split({"v0": i, "v1": 100 - i}))
    time.sleep(10)  # longer than the drain time: what would be cut is cut by now
    cut = 0
    for link in held:
        try:
            link.sendall(b"still there?")
            cut += not link.recv(64)
        except OSError:
            cut += 1
        link.close()
    expect(cut == 0, f"{cut} of {HELD} connections were cut")
    modified = zone.envoys["web"].stats("listener_manager.listener_modified")
    expect(not any(modified.values()), f"a listener was modified: {modified}")
    return f"0 of {HELD} cut"


@scenario()
def change_under_load(stage):
    """No new connection fails while weights change under it."""
    hub = stage.mesh.start_global()
    zone = stage.zone_with_backends("east", hub)
    stage.start_envoys(zone)
    stage.put_and_wait(hub, split({"v0": 50, "v1": 50}))
    stop, failed, count = threading.Event(), [0], [0]

    def load():
        while not stop.is_set():
            name = local.greet("127.0.0.1", zone.outbounds["backend"])
            count[0] += 1
            failed[0] += name not in ("backend-v0", "backend-v1")

    thread = threading.Thread(target=load)
    thread.start()
    for i in range(1, 500 if stage.long else 100):
        stage.put_and_wait(hub, split({"v0": 1 + i % 99, "v1": 100 - i % 99}))
    stop.set()
    thread.join()
    expect(failed[0] == 0, f"{failed[0]} of {count[0]} connections failed")
    return f"0 of {count[0]} connections failed"


@scenario()
def two_meshes(stage):
    """Services and routes of one mesh are nothing to another."""
    hub = stage.mesh.start_global()
    status, answer = local.request(hub.api, "PUT", "/meshes/other",
                                   {"type": "Mesh", "name": "other"})
    expect(status == 201, f"PUT mesh other: {status} {answer}")
    first = stage.zone_with_backends("east", hub)
    second = stage.zone_with_backends("west", hub, mesh_name="other")
    stage.start_envoys(first)
    stage.start_envoys(second, mesh_name="other")
    stage.put(hub, split({"v0": 1}, to=SERVICE))
    stage.put_and_wait(hub, split({"v1": 1}, mesh="other", to=SERVICE))
    stage.expect_split(first, {"backend-v0": 1.0}, SERVICE, 300)
    stage.expect_split(second, {"backend-v1": 1.0}, SERVICE, 300)


@scenario()
def backend_comes_and_goes(stage):
    """A Dataplane that is not ready gets nothing; when it is ready it gets its share."""
    hub = stage.mesh.start_global()
    zone = stage.zone_with_backends("east", hub, versions=("v0",))
    stage.start_envoys(zone)
    document = stage.mesh.backend(zone, "backend-b", SERVICE, {"version": "v0"},
                                  state="NotReady")
    local.wait_for("backend-b is known",
                   lambda: zone.get("/meshes/default/dataplanes")["total"] == 3)
    zone.envoys["backend-b"] = stage.mesh.start_envoy(zone, "backend-b")
    stage.expect_split(zone, {"backend-v0": 1.0}, SERVICE, 300)
    document["networking"]["inbound"][0]["state"] = "Ready"
    stage.mesh.put_file(zone, "backend-b.yaml", document)
    local.wait_for("backend-b answers", lambda: "backend-b" in local.count_greetings(
        zone.outbounds[SERVICE], 20))
    stage.expect_split(zone, {"backend-v0": 0.5, "backend-b": 0.5}, SERVICE)

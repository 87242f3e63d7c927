"""Zones join, renew, are revoked, disabled and retired."""
import json
import os
import shutil
import subprocess

import local
from story import expect, rounds, scenario, split


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


def ask_to_join(stage, hub, zone, token):
    """POST _join as a client with a key of its own; (status, answer)."""
    key, csr = stage.mesh.path("own.key"), stage.mesh.path("own.csr")
    subprocess.run(["openssl", "req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-keyout", key, "-out", csr, "-subj",
                    "/CN=whoever"], check=True, capture_output=True)
    with open(csr, encoding="ascii") as file:
        body = {"csr": file.read(), **({"token": token} if token else {})}
    return local.request(hub.api, "POST", f"/zones/{zone}/_join", body)


def new_token(stage, hub, zone, ttl="1h"):
    """A join token."""
    return stage.mesh.ctl("token", "create", "--zone", zone, "--ttl", ttl,
                          server=hub).strip()


@scenario(needs_envoy=False)
def tokens_that_are_no_good(stage):
    """Used, expired, withdrawn, forged and other zones' tokens are refused, with reasons
    for those whom they concern."""
    hub = stage.mesh.start_global()
    good, short = new_token(stage, hub, "east"), new_token(stage, hub, "east", "1s")

    def refused(zone, token, status, *words):
        got, answer = ask_to_join(stage, hub, zone, token)
        expect(got == status and all(word in answer["detail"] for word in words),
               f"{got} {answer}, wanted {status} {words}")

    head, claims, signature = good.split(".")
    forged = ".".join((head, claims, ("A" if signature[0] != "A" else "B") + signature[1:]))
    refused("east", None, 401, "takes a join token")
    refused("east", forged, 401, "the token is not accepted")
    refused("east", "nonsense", 401, "the token is not accepted")
    refused("west", good, 403, "for zone east, not west")
    local.wait_for("the short token is over", lambda: ask_to_join(
        stage, hub, "west", short)[0] == 403 and hub.get(
            "/zones/east/_certificates")["tokens"][0]["state"] == "expired")
    refused("east", short, 401, "expired at")
    expect(ask_to_join(stage, hub, "east", good)[0] == 200, "a good token was refused")
    refused("east", good, 409, "was used at")
    line = said(hub, "may not join", "reason=used")
    expect("earlier=" in line and " by key " in line and line.count("key") >= 2,
           f"not both uses are in the log: {line}")
    withdrawn = new_token(stage, hub, "east")
    stage.mesh.ctl("zone", "revoke", "east", server=hub)
    refused("east", withdrawn, 403, "withdrawn")
    for token in (good, short, forged, withdrawn):
        expect(not line_of(hub, token), "a token is in the log")
    counts = {name: value for name, value in hub.metrics().items()
              if name.startswith("zonelink_joins_total") and value}
    expect(counts == {'zonelink_joins_total{result="joined"}': 1,
                      'zonelink_joins_total{result="no_proof"}': 1,
                      'zonelink_joins_total{result="bad_token"}': 2,
                      'zonelink_joins_total{result="wrong_zone"}':
                          counts['zonelink_joins_total{result="wrong_zone"}'],
                      'zonelink_joins_total{result="expired"}': 1,
                      'zonelink_joins_total{result="used"}': 1,
                      'zonelink_joins_total{result="unknown"}': 1}, f"{counts}")


@scenario(needs_envoy=False)
def refused_zone_joins_with_a_new_token(stage):
    """Two processes with one token: the second is refused, serves on, and joins when its
    token file has another one."""
    hub = stage.mesh.start_global()
    path = stage.mesh.token_file("east", hub)
    first = stage.mesh.start_zone("east", hub, **{"global.token_file": path})
    has_state(first, "joined")
    first.stop()
    second = stage.mesh.start_zone("east-b", hub, **{
        "global.token_file": path, "zone.name": "east"})
    said(second, "global does not let this zone join", "was used at")
    expect(joined(second)["state"] == "joining" and "409" in joined(second)["error"],
           f"{joined(second)}")
    stage.mesh.backend(second, "web-1", "web")
    local.wait_for("the zone works meanwhile", lambda: second.get(
        "/meshes/default/dataplanes")["total"] == 1)
    stage.mesh.token_file("other", hub, zone="west")
    os.rename(stage.mesh.path("other.token"), path)
    said(second, "the token is for zone west")
    stage.mesh.token_file("east", hub)
    has_state(second, "joined")


@scenario()
def revoked_zone_serves_on(stage):
    """A revoked zone is cut off and refused, keeps its proxies' routes, and comes back
    with a new token."""
    hub = stage.mesh.start_global()
    zone = stage.zone_with_backends("east", hub)
    stage.start_envoys(zone)
    stage.put_and_wait(hub, split({"v0": 90, "v1": 10}))
    text = stage.mesh.ctl("zone", "revoke", "east", server=hub)
    expect("1 certificates revoked" in text, text)
    said(hub, "a zone's certificate is refused", "reason=revoked")
    stage.put(hub, split({"v0": 10, "v1": 90}))
    said(zone, "global does not want this zone's certificate", "was revoked")
    expect(joined(zone)["state"] == "refused", f"{joined(zone)}")
    stage.expect_split(zone, {"backend-v0": 0.9, "backend-v1": 0.1})
    zone.kill()
    zone.start()
    said(zone, "global does not want this zone's certificate")
    local.wait_for("the proxies are back", lambda: zone.get("/_status")["proxies"]["total"]
                   == len(zone.proxies) if "proxies" in zone.get("/_status") else True)
    stage.expect_split(zone, {"backend-v0": 0.9, "backend-v1": 0.1})
    stage.mesh.token_file("east", hub)
    has_state(zone, "joined")
    local.wait_for("the change arrives", lambda: local.count_greetings(
        zone.outbounds["backend"], 40).get("backend-v1", 0) > 25)


@scenario(needs_envoy=False)
def renewal_cuts_nothing(stage):
    """Certificates of seconds are renewed, the zone's and global's own, while changes go
    on arriving over the same connections."""
    hub = stage.mesh.start_global(**{"zones.certificate_ttl": "6s"})
    zone = stage.zone_with_backends("east", hub)
    stage.put_and_wait(hub, split({"v0": 1}))
    serials, revisions = {joined(zone)["serial"]}, 0
    while len(serials) < (10 if stage.long else 4):
        stage.wait(hub, stage.put(hub, split({"v0": revisions % 90 + 1}))["revision"],
                   "zones", 2)
        revisions += 1
        serials.add(joined(zone)["serial"])
        state = zone.get("/_status")["global"]
        expect(state["state"] == "live", f"the link is {state}")
        expect(revisions < 100000, "no renewal")
    expect(line_of(hub, "new certificate of global"), "global did not renew its own")
    expect(not line_of(zone, "no connection to global", "hung up"), "a connection was lost")
    connections = hub.metrics()["zonelink_replication_connections"]
    expect(connections == 2, f"{connections} connections")
    zone.kill()
    zone.start()
    stage.put_and_wait(hub, split({"v0": 100}))
    return f"{len(serials)} certificates, {revisions} changes"


@scenario(needs_envoy=False)
def expired_zone_needs_a_token(stage):
    """A zone that was down when its certificate ended joins again, with a new token."""
    hub = stage.mesh.start_global(**{"zones.certificate_ttl": "5s"})
    zone = stage.mesh.start_zone("east", hub)
    has_state(zone, "joined")
    zone.kill()
    local.wait_for("its certificate is over", lambda: all(
        c["state"] == "expired" for c in
        hub.get("/zones/east/_certificates")["certificates"]))
    zone.start()
    said(zone, "the zone's certificate has expired")
    said(zone, "global does not let this zone join", "was used")
    stage.mesh.token_file("east", hub)
    has_state(zone, "joined")


@scenario(needs_envoy=False)
def wiped_disk_needs_a_token(stage):
    """A zone that lost its disk is a stranger; it cannot use its old token again."""
    hub = stage.mesh.start_global()
    zone = stage.mesh.start_zone("east", hub)
    has_state(zone, "joined")
    zone.kill()
    shutil.rmtree(stage.mesh.path("east"))
    zone.start()
    said(zone, "global does not let this zone join", "was used")
    stage.mesh.token_file("east", hub)
    has_state(zone, "joined")
    revision = stage.put(hub, split({"v0": 1}))["revision"]
    stage.wait(hub, revision, "zones")


def ingress_of(stage, zone):
    """Let the zone offer its services to others."""
    stage.mesh.put_file(zone, "ingress.yaml", {
        "type": "ZoneIngress", "name": f"ingress-{zone.name}", "networking": {
            "address": "127.0.0.1", "port": local.free_port(),
            "advertisedAddress": "10.20.0.1", "advertisedPort": 10001}})


def two_zones(stage):
    """east calls a service that only west has; (hub, east, west, what east has of it)."""
    hub = stage.mesh.start_global()
    east = stage.zone_with_backends("east", hub)
    west = stage.mesh.start_zone("west", hub)
    stage.mesh.backend(west, "far-1", "far-away")
    ingress_of(stage, west)
    stage.put(hub, split({"far-away": 1}))

    def endpoints():
        backend = stage.routes(east)["backend"]["backends"][0]
        return [e["zone"] for e in backend.get("endpoints", [])]

    local.wait_for("east has west's service", lambda: endpoints() == ["west"])
    return hub, east, west, endpoints


@scenario(needs_envoy=False)
def disabled_zone_withdraws(stage):
    """What a disabled zone offers is withdrawn; it stays in sync, and returns."""
    hub, east, west, endpoints = two_zones(stage)
    text = stage.mesh.ctl("zone", "disable", "west", server=hub)
    expect("west disabled" in text, text)
    local.wait_for("east has dropped west", lambda: not endpoints())
    states = {z["name"]: z["state"] for z in hub.get("/zones/_overview")["items"]}
    expect(states["west"] == "Disabled", f"{states}")
    revision = stage.put(hub, split({"far-away": 2}))["revision"]
    stage.wait(hub, revision, "zones")
    expect(west.get("/")["revision"] >= revision, "west is not in sync")
    stage.mesh.ctl("zone", "enable", "west", server=hub)
    local.wait_for("east has west again", lambda: endpoints() == ["west"])
    expect(east.process.alive(), "east ended")


def retire(stage, hub, west, endpoints):
    """Retire west while it is connected, and wait until it has noticed."""
    text = stage.mesh.ctl("zone", "retire", "west", "--dry-run", server=hub)
    expect("1 ZoneIngress" in text and "1 certificates" in text and "connected" in text and
           "nothing was changed" in text, text)
    stage.mesh.ctl("zone", "retire", "west", server=hub, code=1)
    expect(hub.get("/zoneingresses")["total"] == 1 and endpoints() == ["west"],
           "a dry run removed something")
    revision = hub.get("/")["revision"]
    stage.mesh.ctl("zone", "retire", "west", "--yes", server=hub)
    expect(hub.get("/")["revision"] == revision + 1, "it took more than one revision")
    expect(hub.get("/zoneingresses")["total"] == 0 and
           [z["name"] for z in hub.get("/zones")["items"]] == ["east"], "something is left")
    local.wait_for("east has dropped west", lambda: not endpoints())
    has_state(west, "refused")


@scenario(needs_envoy=False)
def retired_zone_is_gone(stage):
    """retire shows what it removes, removes it with the zone's certificates, and the
    zone's process cannot come back without a token."""
    hub, east, west, endpoints = two_zones(stage)
    turns = rounds(1, 10, 50)
    for _ in range(turns):
        retire(stage, hub, west, endpoints)
        west.kill()
        west.start()
        has_state(west, "refused")
        said(hub, "a zone's certificate is refused", "zone=\"west\"", "reason=revoked")
        expect([z["name"] for z in hub.get("/zones")["items"]] == ["east"], "west is back")
        local.wait_for("nobody lists it", lambda: [
            z["name"] for z in hub.get("/zones/_overview")["items"]] == ["east"], 30)
        stage.mesh.token_file("west", hub)
        has_state(west, "joined")
        local.wait_for("east has west again", lambda: endpoints() == ["west"])
    expect(not line_of(east, "no connection to global", "hung up"), "east was cut off")
    return f"{turns} times retired"


@scenario(needs_envoy=False)
def api_by_https(stage):
    """Global's API by TLS: the mesh's authority, a user's token, and nobody without."""
    hub = stage.mesh.start_global()
    with open(stage.mesh.path("admin.token"), "w", encoding="utf-8",
              opener=local.private) as file:
        file.write(stage.mesh.ctl("token", "create", "--user", "ann", "--role", "admin",
                                  "--ttl", "1h", server=hub))
    by_tls = ("--server", f"https://{hub.https}", "--ca", stage.mesh.path("global/pki/ca.crt"))
    stage.mesh.ctl(*by_tls, "zones", code=6)
    token = ("--token-file", stage.mesh.path("admin.token"))
    made = json.loads(stage.mesh.ctl(*by_tls, *token, "token", "create", "--zone", "east",
                                     "-o", "json"))
    expect(made["zone"] == "east" and made["token"].count(".") == 2, "no join token")
    status, answer = local.request(hub.https, "GET", "/zones/east/_certificates")
    expect(status == 200 and answer["tokens"][0]["id"] == made["id"], f"{status} {answer}")

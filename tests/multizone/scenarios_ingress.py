"""Zone proxies: from one zone's clients, by mutual TLS, to what only another zone has."""
import socket
import ssl

import local
from scenarios_mtls import Load, builtin, expect_uncut, hold, put_mesh
from story import SERVICE, expect, scenario, split

LATER = "later"


def add_ingress(stage, zone, name="ingress"):
    """A ZoneIngress of a zone and its Envoy; the port."""
    port = stage.mesh.ingress(zone, name)
    zone.envoys[name] = stage.mesh.start_envoy(zone, name, drain_seconds=3)
    return port


def two_zones(stage, versions=("v0", "v1")):
    """East has the client, west the service and an ingress; (hub, east, west)."""
    hub = stage.mesh.start_global()
    stage.wait(hub, put_mesh(hub, "ca-1", builtin("ca-1")), "zones")
    west = stage.zone_with_backends("west", hub, versions=versions)
    stage.start_envoys(west, drain_seconds=3)
    west.ingress = add_ingress(stage, west)
    east = stage.mesh.start_zone("east", hub)
    east.outbounds = stage.mesh.client(east, "web", ["backend", SERVICE, LATER],
                                       {"app": "frontend"})
    local.wait_for("east has its client",
                   lambda: east.get("/meshes/default/dataplanes")["total"] == 1)
    east.proxies = ["web"]
    stage.start_envoys(east, drain_seconds=3)
    return hub, east, west


def reaches(zone, service, seconds=15):
    """Wait until a connection to a service is answered; by whom."""
    return local.wait_for(f"{zone.name} reaches {service}", lambda: local.greet(
        "127.0.0.1", zone.outbounds[service]), seconds)


def answer_of(port, name=None):
    """What the port says to TLS for a server name, or to plain text (name None)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as plain:
            if name is None:
                plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
                return plain.recv(64)
            with context.wrap_socket(plain, server_hostname=name):
                return b"TLS"
    except OSError:
        return b""


@scenario()
def ingress_leads_to_another_zone(stage):
    """What only west has is reached from east: all of it, a split of its versions, by mTLS."""
    hub, east, west = two_zones(stage)
    expect(reaches(east, SERVICE).startswith("backend-"), "somebody else answers")
    stage.put_and_wait(hub, split({"v0": 90, "v1": 10}))
    stage.expect_split(east, {"backend-v0": 0.9, "backend-v1": 0.1})
    stage.put_and_wait(hub, split({"v1": 1}))
    stage.expect_split(east, {"backend-v1": 1}, total=200)
    for name in (None, "example.org"):
        expect(not answer_of(west.ingress, name), f"the ingress takes {name or 'plain text'}")
    proxies = west.get("/_status")["proxies"]
    expect(proxies["total"] == proxies["acked"] == 4, f"west counts {proxies}")
    text = stage.mesh.ctl("explain", "ingress", server=west)
    expect(SERVICE in text, f"explain of the ingress: {text}")
    stage.wait(hub, put_mesh(hub, None))
    local.wait_for("without mTLS the ingress carries nothing", lambda: not local.greet(
        "127.0.0.1", east.outbounds[SERVICE]))
    return "90/10 of west's versions, from east"


@scenario()
def why_nothing_arrives(stage):
    """At each step of making an ingress, who asks is told what the next one is."""
    hub = stage.mesh.start_global()
    stage.wait(hub, put_mesh(hub, "ca-1", builtin("ca-1")), "zones")
    west, east = (stage.mesh.start_zone(name, hub) for name in ("west", "east"))
    stage.mesh.backend(west, "backend", SERVICE)
    stage.mesh.client(east, "web", [SERVICE])
    place = {"address": "127.0.0.1", "port": local.free_port()}
    told = {**place, "advertisedAddress": "127.0.0.1", "advertisedPort": place["port"]}
    explain = ("explain", "web")

    def says(daemon, args, text):
        local.wait_for(f"{daemon.name} says: {text}",
                       lambda: text in stage.mesh.ctl(*args, server=daemon))

    def notes(text):
        local.wait_for(f"west notes: {text}",
                       lambda: text in west.get("/_status").get("note", "nothing"))

    local.wait_for("east has its client",
                   lambda: east.get("/meshes/default/dataplanes")["total"] == 1)
    says(east, explain, 'nothing in zone "west" is reached: it has no ZoneIngress')
    says(east, explain, "No Envoy is connected as default.web.")
    stage.mesh.ingress(east, "of-east")  # another zone's is none of west's
    local.wait_for("west knows east's", lambda: west.get("/zoneingresses")["total"] == 1)
    notes("no ZoneIngress: this zone offers nothing to other zones")
    document = {"type": "ZoneIngress", "name": "ingress", "networking": place}
    stage.mesh.put_file(west, "ingress.yaml", document)
    says(east, explain, "no ZoneIngress of it has an advertised address")
    notes("no ZoneIngress has an advertised address")
    stage.mesh.put_file(west, "ingress.yaml", {**document, "networking": told})
    notes("no Envoy is connected as a ZoneIngress")
    says(west, ("explain", "ingress"), "No Envoy is connected as ingress.")
    stage.mesh.start_envoy(west, "ingress")
    notes("nothing")
    for daemon, args in ((east, explain), (west, ("explain", "ingress"))):
        text = stage.mesh.ctl(*args, server=daemon)
        expect("is reached" not in text, text)
        expect(daemon is east or "No Envoy" not in text, text)
    return "no ingress, no address, no Envoy: each is named"


@scenario()
def ingress_grows_and_cuts_nothing(stage):
    """A new service of west is one more chain of its ingress; held connections go on."""
    _, east, west = two_zones(stage, versions=("v0",))
    expect(reaches(east, SERVICE) == "backend-v0", "somebody else answers")
    held = hold(east.outbounds[SERVICE])
    envoy = west.envoys["ingress"]
    stage.mesh.backend(west, "later", LATER)
    local.wait_for("west has it", lambda: west.get("/meshes/default/dataplanes")["total"] == 3)
    stage.mesh.start_envoy(west, "later")
    expect(reaches(east, LATER) == "later", "somebody else answers")
    stats = envoy.stats("listener_manager")
    expect(stats["listener_manager.listener_in_place_updated"] >= 1 and
           stats["listener_manager.listener_modified"] ==
           stats["listener_manager.listener_in_place_updated"], f"not in place: {stats}")
    west.kill()
    west.start()
    local.wait_for("the ingress is back", lambda: west.get("/_status")["proxies"]["acked"] == 4)
    stage.mesh.remove_file(west, "later.yaml")
    local.wait_for("it is gone", lambda: not local.greet("127.0.0.1", east.outbounds[LATER]))
    expect(reaches(east, SERVICE) == "backend-v0", "somebody else answers")
    expect_uncut(held)
    return f"a chain more and a chain less, {len(held)} connections held"


@scenario()
def ingress_hears_its_own_zone_alone(stage):
    """Secrets, clients and what other zones have cost an ingress nothing; routes do."""
    hub, east, west = two_zones(stage, versions=("v0",))
    reaches(east, SERVICE)

    def pushed():
        return west.get("/zoneingresses/ingress/_xds")["wantedPush"]

    def offered():
        return [service["tags"]["kuma.io/service"]
                for item in west.get("/zoneingresses")["items"]
                for service in item.get("availableServices", [])]

    before = pushed()
    stage.mesh.backend(east, "far", "far")
    stage.mesh.put_file(east, "east-in.yaml", {
        "type": "ZoneIngress", "name": "east-in", "networking": {
            "address": "127.0.0.1", "port": local.free_port(),
            "advertisedAddress": "127.0.0.1", "advertisedPort": local.free_port()}})
    local.wait_for("west hears of it", lambda: "far" in offered())
    stage.mesh.put_file(west, "more.yaml", {
        "type": "Dataplane", "mesh": "default", "name": "more", "networking": {
            "address": "127.0.0.1", "outbound": [{
                "port": local.free_port(), "tags": {"kuma.io/service": "far"}}]}})
    local.wait_for("west has it", lambda: west.get("/meshes/default/dataplanes")["total"] == 3)
    status, answer = local.request(hub.api, "PUT", "/meshes/default/secrets/s", {
        "type": "Secret", "mesh": "default", "name": "s", "data": "eA=="})
    expect(status == 201, f"PUT secret: {answer}")
    stage.wait(hub, answer["revision"], "zones")
    expect(pushed() == before, "pushed for nothing")
    before = pushed()
    stage.put_and_wait(hub, split({"v0": 1}, to="far"))
    expect(pushed() > before, "a route may ask for a subset, and was not pushed")
    return "pushed for a route, not for the rest"


@scenario()
def ingress_restarts(stage):
    """Two ingresses of a zone: one ends and the other carries on; both end; one is back."""
    _, east, west = two_zones(stage, versions=("v0",))
    add_ingress(stage, west, "ingress-2")
    reaches(east, SERVICE)
    used = f"cluster.default_{SERVICE}.upstream_cx_total"
    local.wait_for("both are used", lambda: reaches(east, SERVICE) and all(
        any(west.envoys[name].stats(used).values()) for name in ("ingress", "ingress-2")))
    west.envoys["ingress"].process.end()
    expect(reaches(east, SERVICE) == "backend-v0", "nobody answers by the other one")
    west.envoys["ingress-2"].process.end()
    local.wait_for("nobody answers", lambda: not any(local.greet(
        "127.0.0.1", east.outbounds[SERVICE]) for _ in range(4)))
    west.envoys["ingress"].start()
    local.wait_for("it is live", west.envoys["ingress"].live)
    expect(reaches(east, SERVICE) == "backend-v0", "somebody else answers")
    return "one of two, none, one again"


def add_egress(stage, zone, name="egress"):
    """A ZoneEgress of a zone and its Envoy."""
    stage.mesh.put_file(zone, f"{name}.yaml", {
        "type": "ZoneEgress", "name": name, "networking": {
            "address": "127.0.0.1", "port": local.free_port()}})
    local.wait_for(f"{zone.name} has {name}", lambda: any(
        item["name"] == name for item in zone.get("/zoneegresses")["items"]))
    zone.envoys[name] = stage.mesh.start_envoy(zone, name, drain_seconds=3)


def relayed(zone, name="egress"):
    """How many connections an egress has passed on."""
    stats = zone.envoys[name].stats("cluster.*upstream_cx_total")
    return sum(count for key, count in stats.items() if SERVICE in key)


def serving(zone):
    """The names of the egresses that a zone's proxies send to."""
    return {proxy["name"] for proxy in zone.get("/_status")["zoneProxies"]
            if proxy.get("serving")}


@scenario()
def egress_is_the_only_way_out(stage):
    """routing.zoneEgress: through the egress or not at all; it dies and comes back."""
    hub, east, west = two_zones(stage, versions=("v0",))
    expect(reaches(east, SERVICE) == "backend-v0", "somebody else answers")
    add_egress(stage, east)
    expect(not serving(east), "no mesh has a use for it")
    stage.wait(hub, put_mesh(hub, "ca-1", builtin("ca-1"), routing={"zoneEgress": True}))
    local.wait_for("the egress serves", lambda: serving(east) == {"egress"})
    expect(reaches(east, SERVICE) == "backend-v0", "somebody else answers")
    before = relayed(east)
    expect(local.count_greetings(east.outbounds[SERVICE], 50) == {"backend-v0": 50}, "some fail")
    expect(relayed(east) - before == 50, f"{relayed(east) - before} of 50 by the egress")
    egress = east.envoys["egress"]
    egress.process.end()
    local.wait_for("it serves no more", lambda: not serving(east))
    stat = f"cluster.default_{SERVICE}.upstream_cx_total"
    count = west.envoys["ingress"].stats(stat)
    expect(not any(local.greet("127.0.0.1", east.outbounds[SERVICE]) for _ in range(5)),
           "sent around the egress")
    expect(west.envoys["ingress"].stats(stat) == count, "sent around the egress")
    egress.start()
    expect(reaches(east, SERVICE) == "backend-v0", "somebody else answers")
    stage.wait(hub, put_mesh(hub, "ca-1", builtin("ca-1")))

    def past():
        before = relayed(east)
        return reaches(east, SERVICE) == "backend-v0" and relayed(east) == before

    local.wait_for("it goes past the egress again", past)
    return "50 of 50 by the egress, none around it"


@scenario()
def egress_outlives_its_control_plane(stage):
    """The zone's process dies and comes back: no connection by the egress fails or is cut."""
    hub, east, _ = two_zones(stage, versions=("v0",))
    add_egress(stage, east)
    stage.wait(hub, put_mesh(hub, "ca-1", builtin("ca-1"), routing={"zoneEgress": True}))
    expect(reaches(east, SERVICE) == "backend-v0", "somebody else answers")
    held = hold(east.outbounds[SERVICE])
    with Load(east.outbounds[SERVICE]) as load:
        for _ in range(2):
            east.kill()
            east.start()
            local.wait_for("all are back", lambda: [
                (proxy["connected"], proxy["acked"], proxy["serving"])
                for proxy in east.get("/_status")["zoneProxies"]] == [(True, True, True)])
    expect(load.count > 0 and load.failed == 0, f"{load.failed} of {load.count} failed")
    expect_uncut(held)
    return f"{load.count} connections over two restarts, {len(held)} held"


@scenario()
def egress_dies_and_another_carries_on(stage):
    """Of two egresses one is killed: in a moment all goes by the other one."""
    hub, east, _ = two_zones(stage, versions=("v0",))
    for name in ("egress", "egress-2"):
        add_egress(stage, east, name)
    stage.wait(hub, put_mesh(hub, "ca-1", builtin("ca-1"), routing={"zoneEgress": True}))
    local.wait_for("both serve", lambda: serving(east) == {"egress", "egress-2"})
    local.wait_for("both are used", lambda: reaches(east, SERVICE) and all(
        relayed(east, name) for name in ("egress", "egress-2")))
    east.envoys["egress"].process.end()
    local.wait_for("one serves", lambda: serving(east) == {"egress-2"})
    local.wait_for("all goes by the other one", lambda: local.count_greetings(
        east.outbounds[SERVICE], 20) == {"backend-v0": 20})
    return "both, then one"


@scenario()
def one_id_one_proxy(stage):
    """A Dataplane and an ingress want one id: the first has it, and neither the other's."""
    zone = stage.zone_with_backends("east", None, versions=("v0",))
    stage.start_envoys(zone)
    port = local.free_port()
    stage.mesh.put_file(zone, "in.yaml", {
        "type": "ZoneIngress", "name": "default.backend-v0", "networking": {
            "address": "127.0.0.1", "port": port}})
    local.wait_for("the zone has it", lambda: zone.get("/zoneingresses")["total"] == 1)

    def zone_proxies():
        return zone.get("/_status")["zoneProxies"]

    def refusals():
        return zone.metrics()['zonelink_auth_failures_total{reason="xds_wrong_kind"}']

    expect(zone_proxies() == [], "it is served under the id of another")
    stage.mesh.remove_file(zone, "backend-v0.yaml")
    local.wait_for("it has the id", lambda: [
        proxy["name"] for proxy in zone_proxies()] == ["default.backend-v0"])
    local.wait_for("the Dataplane's Envoy is refused", refusals)
    expect(not zone_proxies()[0]["connected"], "it is served to the Dataplane's Envoy")
    return "the ingress waited, and the Dataplane's Envoy was sent away"

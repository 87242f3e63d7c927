"""Scenarios of who may have which configuration: TLS and tokens of the xDS server."""
import json
import os
import re
import resource
import socket
import struct
import time

import local
from story import SERVICE, expect, rounds, scenario, split

TLS_PART = re.compile(r"^      transport_socket:.*?(?=^      typed_extension)", re.M | re.S)
BEARER = re.compile(r"Bearer \S+")


class Twin(local.Envoy):
    """An Envoy of a proxy that has one already, whose bootstrap is changed before."""

    def __init__(self, mesh, zone, name, number, change):
        self.change, self.number = change, number
        super().__init__(mesh, zone, name)

    def start(self):
        path = self.argv[2]
        with open(path, encoding="utf-8") as file:
            text = file.read()
        own = f"{self.admin}-{self.number}"
        text = self.change(text).replace(self.admin, own)
        self.admin, self.log = own, f"{self.log}-{self.number}"
        self.argv[2] = f"{path[:-len('.yaml')]}-{self.number}.yaml"
        with open(self.argv[2], "w", encoding="utf-8") as file:
            file.write(text)
        super().start()


def refusals(zone, reason):
    """How often the zone refused for a reason."""
    return zone.metrics()[f'zonelink_auth_failures_total{{reason="xds_{reason}"}}']


def log_of(zone):
    """All that the zone has logged."""
    with open(zone.process.log, encoding="utf-8") as file:
        return file.read()


def token(stage, zone, *args):
    """A token, and its id."""
    text = stage.mesh.ctl("token", "create", *args, "-o", "json", server=zone)
    answer = json.loads(text)
    return answer["token"], answer["id"]


def bearing(text):
    """A change that shows another token."""
    return lambda bootstrap: BEARER.sub(f"Bearer {text}", bootstrap)


def flipped(bootstrap):
    """The bootstrap with a token of which one character is another."""
    good = BEARER.search(bootstrap).group()
    bad = good[:-20] + ("A" if good[-20] != "A" else "B") + good[-19:]
    return bootstrap.replace(good, bad)


def expect_refused(stage, zone, number, change, reason, words):
    """A twin of `web` gets nothing; the zone counts why and says it in its log."""
    before = refusals(zone, reason)
    lines = len(log_of(zone))
    twin = Twin(stage.mesh, zone, "web", number, change)
    local.wait_for(f"refusals for {reason}", lambda: refusals(zone, reason) > before + 1)
    local.wait_for(f"{words!r} in the log", lambda: words in log_of(zone)[lines:])
    expect(not twin.live(), f"{reason}: it has a configuration")
    expect(not any(twin.stats("cluster_manager.cds.update_success").values()),
           f"{reason}: it was sent clusters")
    twin.process.end()


def put_and_wait(stage, zone, document):
    """PUT a route at a zone that is alone, and wait until `web` has acknowledged it."""
    path = "/meshes/default/dataplanes/web/_xds"
    before = zone.get(path)["wantedPush"]
    stage.put(zone, document)

    def acknowledged():
        status = zone.get(path)
        return status["wantedPush"] > before and status["ackedPush"] == status["wantedPush"]

    local.wait_for("web has the split", acknowledged)


@scenario()
def xds_tokens(stage):
    """Wrong, another's, damaged, revoked, expired or no token, or no TLS: nothing."""
    zone = stage.zone_with_backends("east", None)
    stage.start_envoys(zone)
    web = zone.envoys["web"]
    others, _ = token(stage, zone, "--dataplane", "backend-v0")
    mesh, _ = token(stage, zone, "--dataplane", "web", "--mesh", "other")
    service, _ = token(stage, zone, "--service", SERVICE)
    ingress, _ = token(stage, zone, "--zone-proxy", "ingress")
    revoked, number = token(stage, zone, "--dataplane", "web")
    ending, _ = token(stage, zone, "--dataplane", "web", "--ttl", "1m")
    ends = time.monotonic() + 61
    stage.mesh.ctl("token", "revoke", number, server=zone)
    cases = [
        (lambda text: text.replace("authorization", "x-nothing"), "no_token", "no token was shown"),
        (flipped, "bad_token", "signature is wrong"),
        (bearing("a.b.c"), "bad_token", "not a token"),
        (bearing(others), "wrong_proxy", "for another Dataplane"),
        (bearing(mesh), "wrong_proxy", "for another Dataplane"),
        (bearing(service), "wrong_proxy", "a service that the Dataplane does not offer"),
        (bearing(ingress), "wrong_kind", "for something else"),
        (bearing(revoked), "revoked_token", "was taken back"),
        (lambda text: TLS_PART.sub("", text), "bad_handshake", "no TLS"),
    ]
    if rounds(0, 1, 1):
        cases.append((bearing(ending), "expired_token", "expired"))
    for number, (change, reason, words) in enumerate(cases):
        if reason == "expired_token":
            time.sleep(max(0, ends - time.monotonic()))
        expect_refused(stage, zone, number, change, reason, words)
    log = log_of(zone)
    for secret in (others, mesh, service, ingress, revoked):
        expect(secret.split(".")[2] not in log, "a token is in the log")
    # A service's token opens its own; the good ones never noticed.
    good = Twin(stage.mesh, zone, "backend-v0", 99, bearing(service))
    local.wait_for("the Envoy with the service's token is live", good.live)
    put_and_wait(stage, zone, split({"v0": 10, "v1": 90}))
    stage.expect_split(zone, {"backend-v0": 0.1, "backend-v1": 0.9})
    handshakes = web.stats("cluster.zonelink/ads.ssl.handshake")
    expect(list(handshakes.values()) == [1], f"a good Envoy connected anew: {handshakes}")
    return f"{len(cases)} sorts of refusal"


@scenario()
def xds_certificate(stage):
    """The server's certificate is renewed again and again: no stream is cut by it."""
    zone = stage.zone_with_backends("east", None, **{"xds.certificate_lifetime": "3s"})
    stage.start_envoys(zone)
    path = "/meshes/default/dataplanes/web/_xds"
    since = zone.get(path)["connectedAt"]
    want = rounds(3, 10, 40)

    def renewals():
        return log_of(zone).count("have a new certificate")

    begin = renewals()
    local.wait_for(f"{want} renewals", lambda: renewals() >= begin + want, 10 + 4 * want)
    put_and_wait(stage, zone, split({"v0": 10, "v1": 90}))
    stage.expect_split(zone, {"backend-v0": 0.1, "backend-v1": 0.9})
    expect(zone.get(path)["connectedAt"] == since, "the stream of web was cut")
    for envoy in zone.envoys.values():
        stats = envoy.stats("cluster.zonelink/ads.ssl.handshake")
        expect(list(stats.values()) == [1], f"{envoy.name} connected anew: {stats}")
    # Who comes now takes the newest certificate, by the authority it was given.
    twin = Twin(stage.mesh, zone, "web", 1, lambda text: text)
    local.wait_for("an Envoy that comes later is live", twin.live)
    return f"{renewals() - begin} renewals"


@scenario()
def xds_strangers(stage):
    """Silent, garbling and resetting strangers: gone after 5 s, and Envoys are served."""
    zone = stage.zone_with_backends("east", None)
    host, port = zone.ready["xds"][0].rsplit(":", 1)
    links = [socket.create_connection((host, int(port)), 5) for _ in range(500)]
    begin = time.monotonic()
    for link in links[::2]:
        link.sendall(b"\x16\x03\x01\x02\x00")  # a handshake that does not go on
    stage.start_envoys(zone)
    took = time.monotonic() - begin
    storm = rounds(2000, 8000, 8000)
    for i in range(storm):  # resets, some of them within a handshake
        link = socket.create_connection((host, int(port)), 5)
        if i % 2:
            link.sendall(b"\x16\x03\x01\x02\x00")
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        link.close()
    local.wait_for("the strangers are gone", lambda: zone.metrics()[
        "zonelink_xds_strangers"] == 0, 40)
    gone = time.monotonic() - begin
    for link in links:
        link.settimeout(5)
        try:
            expect(link.recv(1) == b"", "a stranger was answered")
        except ConnectionError:
            pass
        link.close()
    expect(gone < 30, f"strangers stayed {gone:.1f} s")
    expect(zone.metrics()["zonelink_xds_connections"] == len(zone.proxies),
           "connections are left over")
    for envoy in zone.envoys.values():
        stats = envoy.stats("cluster.zonelink/ads.ssl.handshake")
        expect(list(stats.values()) == [1], f"{envoy.name} connected anew: {stats}")
    lines = log_of(zone).count("connection dropped")
    expect(0 < lines < 200, f"{lines} lines of the log")
    local.wait_for("the log sums the rest up", lambda: (
        "more streams and connections were refused" in log_of(zone)))
    return f"{storm} resets; {len(zone.proxies)} Envoys live in {took:.1f} s, strangers gone in {gone:.1f} s"


STREAM = ("/envoy.service.discovery.v3.AggregatedDiscoveryService/"
          "DeltaAggregatedResources")
CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
DATA, HEADERS, SETTINGS, WINDOW_UPDATE = 0, 1, 4, 8  # frames of HTTP/2


def frame(kind, flags, stream, payload):
    """An HTTP/2 frame."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + \
        struct.pack(">I", stream) + payload


def opening(proxy, window):
    """What a proxy says that asks for all there is, and lets so many bytes be sent to it."""
    def text(value):
        return bytes([len(value)]) + value.encode()  # short ones, in HPACK and protobuf

    head = {":method": "POST", ":scheme": "http", ":path": STREAM, ":authority": "x",
            "content-type": "application/grpc", "te": "trailers"}
    fields = b"".join(b"\0" + text(name) + text(value) for name, value in head.items())
    node = b"\x0a" + text(f"default.{proxy}")
    message = b"\x0a" + bytes([len(node)]) + node + b"\x12" + text(CLUSTER)
    return (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, window))
            + frame(HEADERS, 4, 1, fields)
            + frame(DATA, 0, 1, b"\0" + struct.pack(">I", len(message)) + message))


def responses(data):
    """How many responses there are in all that a server has sent."""
    body, count = b"", 0
    while len(data) >= 9:
        length = int.from_bytes(data[:3], "big")
        body += data[9:9 + length] if data[3] == DATA else b""
        data = data[9 + length:]
    while len(body) >= 5:
        body = body[5 + int.from_bytes(body[1:5], "big"):]
        count += 1
    return count


def slow_stream(path, window):
    """A stream of the proxy `slow`, which will not acknowledge anything."""
    link = socket.socket(socket.AF_UNIX)
    link.connect(path)
    link.sendall(opening("slow", window))
    return link


def resident(zone):
    """Resident memory of the zone, in MiB."""
    with open(f"/proc/{zone.process.child.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / (1 << 20)


def changes(stage, zone, count):
    """So many changes of the clusters that web and slow have; the times until web has
    acknowledged each, sorted."""
    times = []
    for i in range(count):
        begin = time.monotonic()
        put_and_wait(stage, zone, split({f"v{i % 2}": 1}))
        times.append(time.monotonic() - begin)
    return sorted(times)


def p90(times):
    """Nine of ten are at most so long."""
    return sorted(times)[len(times) * 9 // 10]


@scenario(alone=True)
def xds_slow_proxies(stage):
    """F13: 1,000 streams that acknowledge nothing or read nothing: other proxies do not
    feel it, and nothing piles up for them."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    path = stage.mesh.path("xds.sock")
    zone = stage.zone_with_backends("east", None, **{
        "xds.listen": f"127.0.0.1:0,unix:{path}"})
    stage.mesh.client(zone, "slow", ["backend", SERVICE])
    stage.start_envoys(zone)
    put_and_wait(stage, zone, split({"v0": 50, "v1": 50}))
    calm, before = changes(stage, zone, 40), resident(zone)
    open_to_all = zone.metrics()["zonelink_xds_connections"]
    links = [slow_stream(path, (1 << 30) * (i % 2)) for i in range(1000)]
    local.wait_for("all are there", lambda: zone.metrics()[
        "zonelink_xds_connections"] == open_to_all + len(links))
    turns, slow = rounds(1, 10, 50), []
    for _ in range(turns):
        slow += changes(stage, zone, 40)
    more = resident(zone) - before
    expect(more < 100, f"the zone grew by {more:.0f} MiB")
    for i, link in enumerate(links):
        link.setblocking(False)
        found = responses(link.recv(1 << 20))
        # Clusters, endpoints, listeners: one of each is on its way, the newest waits.
        expect(found == 3 * (i % 2),
               f"{found} responses, window {'open' if i % 2 else 'closed'}")
        link.close()
    after = changes(stage, zone, 40)  # what else the machine does is no fault of the zone's
    calm = max(calm, after, key=p90)
    was, now = 1000 * p90(calm), 1000 * p90(slow)
    expect(now < 2 * was + 50, f"p90 {now:.1f} ms, {was:.1f} ms calm")
    stage.expect_split(zone, {"backend-v1": 1.0}, total=200)
    return (f"{turns * 40} changes, p90 {now:.1f} ms ({was:.1f} calm), "
            f"zone +{more:.1f} MiB")

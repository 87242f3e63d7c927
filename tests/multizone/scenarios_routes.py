"""Who owns the connections of a service, gateways, and services outside the mesh."""
import asyncio
import base64
import http.client
import http.server
import json
import socket
import ssl
import subprocess
import threading

import local
from story import SERVICE, expect, scenario

HELD = 50
PLURALS = {"MeshHTTPRoute": "meshhttproutes", "MeshTCPRoute": "meshtcproutes",
           "TrafficRoute": "traffic-routes", "MeshGateway": "meshgateways",
           "MeshService": "meshservices", "MeshExternalService": "meshexternalservices",
           "Secret": "secrets"}


def path_of(document):
    """Where a document of the mesh default stands in the API."""
    return f"/meshes/default/{PLURALS[document['type']]}/{document['name']}"


def put(daemon, document):
    """Write a document of the mesh default; its revision."""
    status, answer = local.request(daemon.api, "PUT", path_of(document),
                                   {"mesh": "default", **document})
    expect(status in (200, 201), f"PUT {document['name']}: {status} {answer}")
    return answer["revision"]


def ref(kind, name, weight=1, **more):
    """A backendRef."""
    return {"kind": kind, "name": name, "weight": weight, **more}


def tcp_route(name, target, refs, top=None):
    """A MeshTCPRoute with one entry."""
    spec = {"to": [{"targetRef": target, "rules": [{"default": {"backendRefs": refs}}]}]}
    return {"type": "MeshTCPRoute", "name": name,
            "spec": {**spec, **({"targetRef": top} if top else {})}}


# ---- HTTP ----
class Answerer(http.server.BaseHTTPRequestHandler):
    """Says who it is and what it was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):  # pylint: disable=invalid-name  # the name that is called
        """Answer."""
        text = f"{self.server.name} {self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        """Say nothing."""


def start_http(name):
    """Start an HTTP server on loopback; its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answerer)
    server.name, server.daemon_threads = name, True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def ask(port, path, headers=None):
    """GET; (status, who answered)."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        link.request("GET", path, headers=headers or {})
        answer = link.getresponse()
        return answer.status, answer.read().decode().split(" ")[0]
    finally:
        link.close()


def two_protocols(stage, zone, name, version):
    """A Dataplane of service shop with an inbound for requests and one for connections."""
    inbound = [{"name": section, "port": local.free_port(), "serviceAddress": "127.0.0.1",
                "servicePort": port, "tags": {
                    "kuma.io/service": service, "kuma.io/protocol": protocol,
                    "app": "shop", "version": version}}
               for section, protocol, service, port in (
                   ("web", "http", "shop-web", start_http(name)),
                   ("line", "tcp", "shop-line", stage.mesh.echo.start(name)))]
    stage.mesh.put_file(zone, f"{name}.yaml", {
        "type": "Dataplane", "mesh": "default", "name": name,
        "networking": {"address": "127.0.0.1", "inbound": inbound}})


def shop(name, **tags):
    """A MeshService of the shop, or of a version of it, with both ports."""
    return {"type": "MeshService", "name": name, "spec": {
            "selector": {"dataplaneTags": {"app": "shop", **tags}}, "ports": [
                {"port": 80, "targetPort": "web", "name": "web", "appProtocol": "http"},
                {"port": 70, "targetPort": "line", "name": "line", "appProtocol": "tcp"}]}}


def caller(stage, zone, outbounds, name="web"):
    """A Dataplane that calls: outbounds maps a port to what it asks for."""
    stage.mesh.put_file(zone, f"{name}.yaml", {
        "type": "Dataplane", "mesh": "default", "name": name, "networking": {
            "address": "127.0.0.1",
            "inbound": [{"port": local.free_port(), "serviceAddress": "127.0.0.1",
                         "servicePort": stage.mesh.echo.start(name),
                         "tags": {"kuma.io/service": name}}],
            "outbound": [{"port": port, **what} for port, what in outbounds.items()]}})


def known(zone, count):
    """Wait until the zone has so many Dataplanes."""
    local.wait_for(f"{zone.name} has its Dataplanes", lambda: zone.get(
        "/meshes/default/dataplanes")["total"] == count)


def owners(stage, zone, proxy="web"):
    """{port: (owner, names of the policies)} as explain says."""
    text = stage.mesh.ctl("explain", proxy, "-o", "json", server=zone)
    return {outbound["port"]: (outbound["owner"], [p["name"] for p in outbound["policies"]])
            for outbound in json.loads(text)["proxies"][0]["outbounds"]}


@scenario()
def requests_and_connections_of_one_service(stage):
    """One service, two ports: a MeshHTTPRoute has the requests to the http one, beside it
    a MeshTCPRoute has the connections to the tcp one."""
    hub = stage.mesh.start_global()
    zone = stage.mesh.start_zone("east", hub)
    two_protocols(stage, zone, "one", "v1")
    two_protocols(stage, zone, "two", "v2")
    web, line = local.free_port(), local.free_port()
    caller(stage, zone, {
        port: {"backendRef": {"kind": "MeshService", "name": "shop", "port": number}}
        for port, number in ((web, 80), (line, 70))})
    known(zone, 3)
    put(zone, shop("shop"))
    put(zone, shop("shop-v1", version="v1"))
    put(zone, shop("shop-v2", version="v2"))
    for name in ("one", "two", "web"):
        stage.mesh.start_envoy(zone, name)

    target = {"kind": "MeshService", "name": "shop"}
    put(hub, {"type": "MeshHTTPRoute", "name": "requests", "spec": {"to": [
        {"targetRef": target, "rules": [
            {"matches": [{"path": {"type": "PathPrefix", "value": "/api"}}],
             "default": {"backendRefs": [ref("MeshService", "shop-v2", port=80)]}},
            {"matches": [{"path": {"type": "RegularExpression", "value": "/v[12]/.*"},
                          "headers": [{"name": "x-env", "value": "canary"}]}],
             "default": {"backendRefs": [ref("MeshService", "shop-v2", port=80)]}},
            {"matches": [{}],
             "default": {"backendRefs": [ref("MeshService", "shop-v1", port=80)]}}]}]}})
    stage.wait(hub, put(hub, tcp_route("connections", target, [
        ref("MeshService", "shop-v1", 3, port=70), ref("MeshService", "shop-v2", 1,
                                                       port=70)])))
    expect(owners(stage, zone) == {web: ("MeshHTTPRoute", ["requests"]),
                                   line: ("MeshTCPRoute", ["connections"])},
           f"owners: {owners(stage, zone)}")
    for path, headers, want in (
            ("/", {}, "one"), ("/apix", {}, "one"), ("/api", {}, "two"),
            ("/api/x?y=z", {}, "two"), ("/v1/x", {}, "one"),
            ("/v1/x", {"x-env": "canary"}, "two"), ("/v3/x", {"x-env": "canary"}, "one")):
        answer = ask(web, path, headers)
        expect(answer == (200, want), f"{path} {headers}: {answer}, not {want}")
    zone.outbounds = {"line": line}
    stage.expect_split(zone, {"one": 0.75, "two": 0.25}, "line")

    # The requests change; the connections of the other port are not touched.
    before = stage.mesh.ctl("explain", "web", "-o", "json", server=zone)
    stage.wait(hub, put(hub, {"type": "MeshHTTPRoute", "name": "requests", "spec": {"to": [
        {"targetRef": target, "rules": []}]}}))
    answers = {ask(web, "/api")[1] for _ in range(40)}
    expect(answers == {"one", "two"}, f"without rules: {answers}")
    after = stage.mesh.ctl("explain", "web", "-o", "json", server=zone)

    def lines(text):
        return [o for o in json.loads(text)["proxies"][0]["outbounds"] if o["port"] == line]

    expect(lines(before) == lines(after), "the tcp port changed with the requests")


# ---- TrafficRoutes ----
def backends(stage, zone):
    """What web sends where, without who says so: {service: [(cluster, weight, ...)]}."""
    return {service: [(b["cluster"], b["weight"], b["endpoints"])
                      for b in outbound["backends"]]
            for service, outbound in stage.routes(zone).items()}


@scenario()
def traffic_routes_are_converted(stage):
    """A TrafficRoute is replaced by its conversion: the same endpoints and weights in two
    zones, and no connection is cut."""
    hub = stage.mesh.start_global()
    zones = [stage.zone_with_backends(name, hub) for name in ("east", "west")]
    for zone in zones:
        stage.start_envoys(zone, drain_seconds=3)
    put(hub, {"type": "TrafficRoute", "name": "all",
              "sources": [{"match": {"kuma.io/service": "*"}}],
              "destinations": [{"match": {"kuma.io/service": "*"}}],
              "conf": {"destination": {"kuma.io/service": SERVICE, "version": "v1"}}})
    stage.wait(hub, put(hub, {
        "type": "TrafficRoute", "name": "old",
        "sources": [{"match": {"kuma.io/service": "web", "app": "frontend"}}],
        "destinations": [{"match": {"kuma.io/service": "backend"}}],
        "conf": {"split": [{"weight": 70, "destination": {"kuma.io/service": SERVICE,
                                                          "version": "v0"}},
                           {"weight": 30, "destination": {"kuma.io/service": SERVICE,
                                                          "version": "v1"}}]}}))
    shares = {"backend-v0": 0.7, "backend-v1": 0.3}
    for zone in zones:
        stage.expect_split(zone, shares)
    before = [backends(stage, zone) for zone in zones]
    held = [socket.create_connection(("127.0.0.1", zones[0].outbounds["backend"]), 5)
            for _ in range(HELD)]
    for link in held:
        link.settimeout(5)
        link.sendall(b"x")
        expect(link.recv(64), "a connection was closed before the change")

    documents = stage.mesh.ctl("get", "traffic-routes", "-o", "yaml", server=hub)
    for zone in zones:
        documents += "---\n" + stage.mesh.ctl("get", "dataplanes", "-o", "yaml",
                                              server=zone)
    written = stage.mesh.ctl("convert", "-f", "-", stdin=documents)
    stage.mesh.ctl("apply", "-f", "-", "--wait", server=hub, stdin=written)
    middle = [backends(stage, zone) for zone in zones]
    for name in ("old", "all"):
        status, answer = local.request(hub.api, "DELETE",
                                       f"/meshes/default/traffic-routes/{name}")
        expect(status == 200, f"DELETE {name}: {status} {answer}")
    stage.wait(hub, answer["revision"])
    expect([backends(stage, zone) for zone in zones] == middle == before,
           f"before {before}, after {[backends(stage, zone) for zone in zones]}")
    expect(hub.get("/meshes/default/traffic-routes")["total"] == 0, "one is left")
    for zone in zones:
        stage.expect_split(zone, shares)
        expect({o["owner"] for o in stage.routes(zone).values()} == {"MeshTCPRoute"},
               f"owners: {stage.routes(zone)}")
    cut = 0
    for link in held:
        try:
            link.sendall(b"still there?")
            cut += not link.recv(64)
        except OSError:
            cut += 1
        link.close()
    expect(cut == 0, f"{cut} of {HELD} connections were cut")
    return f"70/30 before and after, 0 of {HELD} cut"


# ---- certificates ----
class Authority:
    """A CA with its files in the folder of the run."""

    def __init__(self, mesh, name):
        self.mesh, self.name = mesh, name
        self.cert, self.key = self._paths(name)
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                      "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
                      f"/CN={name}", "-keyout", self.key, "-out", self.cert)

    def _paths(self, name):
        return self.mesh.path(f"{name}.pem"), self.mesh.path(f"{name}.key")

    def _openssl(self, *args):
        done = subprocess.run(["openssl", *args], capture_output=True, text=True,
                              check=False)
        expect(done.returncode == 0, f"openssl {args[0]}: {done.stderr}")

    def issue(self, host):
        """A certificate for the host and its key; paths of both."""
        cert, key = self._paths(f"{self.name}-{host}")
        request, extensions = cert + ".csr", cert + ".ext"
        with open(extensions, "w", encoding="utf-8") as file:
            file.write(f"subjectAltName=DNS:{host}\n")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                      "-nodes", "-subj", f"/CN={host}", "-keyout", key, "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key,
                      "-days", "20", "-extfile", extensions, "-out", cert)
        return cert, key


def secret(hub, name, *paths):
    """Write the content of files as a Secret; its revision."""
    content = b""
    for path in paths:
        with open(path, "rb") as file:
            content += file.read()
    return put(hub, {"type": "Secret", "name": name,
                     "data": base64.b64encode(content).decode()})


def start_tls(mesh, name, pair):
    """Start a TLS server that greets and echoes; its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)

    async def begin():
        server = await asyncio.start_server(
            lambda r, w: mesh.echo._serve(name, r, w),  # pylint: disable=protected-access
            "127.0.0.1", 0, ssl=context)
        return server.sockets[0].getsockname()[1]

    return asyncio.run_coroutine_threadsafe(begin(), mesh.echo.loop).result()


def greet_tls(port, host, authority):
    """Connect by TLS; who answered, or "" if that failed."""
    context = ssl.create_default_context(cafile=authority.cert)
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as link, \
                context.wrap_socket(link, server_hostname=host) as tls:
            tls.sendall(b"x")
            return tls.recv(256).split(b"\n")[0].decode()
    except OSError:
        return ""


# ---- gateways ----
@scenario()
def gateway_with_tcp_and_tls(stage):
    """A builtin gateway with a TCP listener, one that ends TLS and one that hands it on;
    the certificate is replaced while it runs."""
    hub = stage.mesh.start_global()
    zone = stage.zone_with_backends("east", hub)
    authority = Authority(stage.mesh, "ca")
    plain, tls = local.free_port(), local.free_port()
    inner = start_tls(stage.mesh, "inner", authority.issue("x.b.org"))
    stage.mesh.put_file(zone, "inner.yaml", {
        "type": "Dataplane", "mesh": "default", "name": "inner", "networking": {
            "address": "127.0.0.1", "inbound": [{
                "port": local.free_port(), "servicePort": inner,
                "serviceAddress": "127.0.0.1", "tags": {"kuma.io/service": "inner"}}]}})
    stage.mesh.put_file(zone, "edge.yaml", {
        "type": "Dataplane", "mesh": "default", "name": "edge", "networking": {
            "address": "127.0.0.1",
            "gateway": {"type": "BUILTIN", "tags": {"kuma.io/service": "edge"}}}})
    known(zone, 5)
    zone.proxies += ["inner", "edge"]
    stage.start_envoys(zone)  # the gateway has no listener yet

    put(hub, {"type": "MeshGateway", "name": "edge",
              "selectors": [{"match": {"kuma.io/service": "edge"}}], "conf": {"listeners": [
                  {"port": plain, "protocol": "TCP", "tags": {"way": "plain"}},
                  {"port": tls, "protocol": "TLS", "hostname": "a.example.org",
                   "tags": {"way": "ends"}, "tls": {"mode": "TERMINATE",
                                                    "certificates": [{"secret": "a"}]}},
                  {"port": tls, "protocol": "TLS", "hostname": "*.b.org",
                   "tags": {"way": "through"}, "tls": {"mode": "PASSTHROUGH"}}]}})
    for way, refs in (
            ("plain", [ref("MeshServiceSubset", SERVICE, weight, tags={"version": version})
                       for version, weight in (("v0", 80), ("v1", 20))]),
            ("ends", [ref("MeshServiceSubset", SERVICE, 1, tags={"version": "v1"})]),
            ("through", [ref("MeshService", "inner")])):
        put(hub, tcp_route(way, {"kind": "Mesh"}, refs,
                           {"kind": "MeshGateway", "name": "edge", "tags": {"way": way}}))
    zone.outbounds = {"plain": plain}
    local.wait_for("the gateway answers", lambda: local.greet("127.0.0.1", plain))
    stage.expect_split(zone, {"backend-v0": 0.8, "backend-v1": 0.2}, "plain", 1000)
    local.wait_for("TLS is handed on", lambda: greet_tls(tls, "x.b.org", authority)
                   == "inner")
    expect(greet_tls(tls, "a.example.org", authority) == "",
           "TLS ended without a certificate")

    # The Secret that was named comes, and later another one in its place.
    secret(hub, "a", *authority.issue("a.example.org"))
    local.wait_for("TLS ends here", lambda: greet_tls(tls, "a.example.org", authority)
                   == "backend-v1")
    expect(greet_tls(tls, "x.b.org", authority) == "inner", "not handed on any more")
    expect(greet_tls(tls, "other.org", authority) == "", "a name that nobody has")
    other = Authority(stage.mesh, "other-ca")
    secret(hub, "a", *other.issue("a.example.org"))
    local.wait_for("the new certificate is shown", lambda: greet_tls(
        tls, "a.example.org", other) == "backend-v1")
    expect(greet_tls(tls, "a.example.org", authority) == "", "the old one is shown too")


# ---- outside ----
@scenario()
def external_service_by_tls(stage):
    """A service outside the mesh by TLS that the proxy starts: its certificate is checked
    by name and CA, and a split has a share of it."""
    hub = stage.mesh.start_global()
    zone = stage.mesh.start_zone("east", hub)
    authority, stranger = Authority(stage.mesh, "ca"), Authority(stage.mesh, "stranger")
    port = start_tls(stage.mesh, "outside", authority.issue("api.example.com"))
    stage.mesh.backend(zone, "inside", "inside")
    out, mixed = local.free_port(), local.free_port()
    caller(stage, zone, {
        out: {"backendRef": {"kind": "MeshExternalService", "name": "api"}},
        mixed: {"tags": {"kuma.io/service": "inside"}}})
    known(zone, 2)

    def external(name, ca):
        return {"type": "MeshExternalService", "name": "api", "spec": {
            "match": {"port": 443}, "endpoints": [{"address": "127.0.0.1", "port": port}],
            "tls": {"enabled": True, "verification": {
                "serverName": name, "caCert": {"secret": ca}}}}}

    secret(hub, "ca", authority.cert)
    secret(hub, "stranger", stranger.cert)
    put(hub, external("api.example.com", "ca"))
    for name in ("inside", "web"):
        stage.mesh.start_envoy(zone, name)
    local.wait_for("outside answers", lambda: local.greet("127.0.0.1", out) == "outside")

    stage.wait(hub, put(hub, tcp_route("mixed", {"kind": "MeshService", "name": "inside"}, [
        ref("MeshService", "inside", 50), ref("MeshExternalService", "api", 50)])))
    zone.outbounds = {"inside": mixed}
    stage.expect_split(zone, {"inside": 0.5, "outside": 0.5}, "inside", 1000)

    for name, ca, why in (("other.example.com", "ca", "another name"),
                          ("api.example.com", "stranger", "another CA")):
        put(hub, external(name, ca))
        local.wait_for(f"{why} is refused", lambda: local.greet("127.0.0.1", out) == "")
        put(hub, external("api.example.com", "ca"))
        local.wait_for(f"outside answers again after {why}",
                       lambda: local.greet("127.0.0.1", out) == "outside")

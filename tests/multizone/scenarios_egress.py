"""What is outside the mesh, by way of the zone's egress: mutual TLS ends there."""
import http.client
import http.server
import threading

import local
from scenarios_ingress import add_egress, serving
from scenarios_mtls import builtin, put_mesh
from scenarios_routes import Authority, caller, known, put, secret, start_tls
from story import expect, scenario


class _Host(http.server.BaseHTTPRequestHandler):
    """Answers with the Host that it was asked for."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):  # pylint: disable=invalid-name
        """Called by its base."""
        said = self.headers["Host"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_):  # pylint: disable=arguments-differ
        """Quiet."""


def host_told(port):
    """What Host a server is told behind this outbound; "" without an answer."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        link.request("GET", "/", headers={"Host": "web.mesh"})
        answer = link.getresponse()
        return answer.read().decode() if answer.status == 200 else ""
    except OSError:
        return ""
    finally:
        link.close()


@scenario()
def egress_dials_what_is_outside(stage):
    """By TLS and by HTTP: the egress dials, by its own Secrets, and nobody else does."""
    hub = stage.mesh.start_global()
    stage.wait(hub, put_mesh(hub, "ca-1", builtin("ca-1"), routing={"zoneEgress": True}))
    zone = stage.mesh.start_zone("east", hub)
    authority = Authority(stage.mesh, "ca")
    port = start_tls(stage.mesh, "outside", authority.issue("api.example.com"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Host)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    api, web = local.free_port(), local.free_port()
    caller(stage, zone, {
        api: {"backendRef": {"kind": "MeshExternalService", "name": "api"}},
        web: {"tags": {"kuma.io/service": "page"}}})
    known(zone, 1)
    secret(hub, "ca", authority.cert)
    put(hub, {"type": "MeshExternalService", "name": "api", "spec": {
        "match": {"port": 443}, "endpoints": [{"address": "127.0.0.1", "port": port}],
        "tls": {"enabled": True, "verification": {
            "serverName": "api.example.com", "caCert": {"secret": "ca"}}}}})
    status, answer = local.request(hub.api, "PUT", "/meshes/default/external-services/page", {
        "type": "ExternalService", "mesh": "default", "name": "page",
        "tags": {"kuma.io/service": "page", "kuma.io/protocol": "http"},
        "networking": {"address": f"localhost:{server.server_address[1]}"}})
    expect(status == 201, f"PUT page: {status} {answer}")
    zone.envoys = {"web": stage.mesh.start_envoy(zone, "web")}
    expect(local.greet("127.0.0.1", api) == "", "dialled without an egress")

    add_egress(stage, zone)
    local.wait_for("the egress serves", lambda: serving(zone) == {"egress"})
    local.wait_for("outside answers", lambda: local.greet("127.0.0.1", api) == "outside")
    # The server is told its own name, though the egress does not look at requests.
    local.wait_for("the page is there", lambda: host_told(web) == "localhost")
    egress = zone.envoys["egress"]
    dialled = sum(egress.stats("cluster.kri_extsvc.*upstream_cx_total").values())
    expect(dialled > 0, "the egress dialled nobody")

    egress.process.end()
    local.wait_for("it serves no more", lambda: not serving(zone))
    expect(local.greet("127.0.0.1", api) == "", "dialled around the egress")
    egress.start()
    local.wait_for("outside answers again",
                   lambda: local.greet("127.0.0.1", api) == "outside")
    server.shutdown()
    return f"{dialled} connections by the egress, none around it"

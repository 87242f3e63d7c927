"""Mutual TLS between the proxies of a mesh: who is let in, and authorities that change."""
import socket
import ssl
import subprocess
import threading
import time

import local
from story import SERVICE, expect, scenario, split

HELD = 50


PERMISSION = {"type": "MeshTrafficPermission", "name": "all-of-the-mesh", "mesh": "default",
              "spec": {"from": [{"targetRef": {"kind": "Mesh"}, "default": {"action": "Allow"}}]}}


def put_mesh(hub, enabled, *backends, **fields):
    """Write the mesh default with these mTLS backends, who is of it is let in; the revision."""
    document = {"type": "Mesh", "name": "default", **fields}
    if backends:
        document["mtls"] = {"enabledBackend": enabled, "backends": list(backends)}
        # Before mTLS is on, since from then on nobody else is let in.
        status, answer = local.request(
            hub.api, "PUT", "/meshes/default/meshtrafficpermissions/all-of-the-mesh", PERMISSION)
        expect(status in (200, 201), f"PUT permission: {status} {answer}")
    status, answer = local.request(hub.api, "PUT", "/meshes/default", document)
    expect(status in (200, 201), f"PUT mesh: {status} {answer}")
    return answer["revision"]


def builtin(name, **more):
    """A backend whose authority global makes."""
    return {"name": name, "type": "builtin", **more}


def inbound(zone, name):
    """The port of the one inbound of a Dataplane."""
    document = zone.get(f"/meshes/default/dataplanes/{name}")
    return document["networking"]["inbound"][0]["port"]


def hold(port):
    """Connections through an outbound, each answered once."""
    links = []
    for _ in range(HELD):
        link = socket.create_connection(("127.0.0.1", port), 5)
        link.settimeout(5)
        link.sendall(b"x")
        expect(link.recv(64), "a connection was closed at once")
        links.append(link)
    return links


def expect_uncut(links):
    """All of them still answer; they are closed."""
    count = 0
    for link in links:
        try:
            link.sendall(b"still there?")
            count += not link.recv(64)
        except OSError:
            count += 1
        link.close()
    expect(count == 0, f"{count} of {len(links)} held connections were cut")


class Load:
    """New connections all the time, and how many failed."""

    def __init__(self, port):
        self.port, self.count, self.failed = port, 0, 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def _run(self):
        while not self.over.is_set():
            self.failed += not local.greet("127.0.0.1", self.port).startswith("backend-")
            self.count += 1


def peer_of(port):
    """The certificate that a TLS server shows, in PEM; None if it speaks no TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["kuma"])
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as plain:
            with context.wrap_socket(plain) as link:
                return ssl.DER_cert_to_PEM_cert(link.getpeercert(binary_form=True))
    except OSError:
        return None


@scenario()
def strict_mtls_lets_only_the_mesh_in(stage):
    """STRICT: proxies reach each other, with their split; strangers and plain text do not."""
    hub = stage.mesh.start_global()
    zone = stage.zone_with_backends("east", hub)
    stage.start_envoys(zone)
    stage.put_and_wait(hub, split({"v0": 90, "v1": 10}))
    port = inbound(zone, "backend-v0")
    expect(local.greet("127.0.0.1", port) == "backend-v0", "plain text before mTLS")
    stage.wait(hub, put_mesh(hub, "ca-1", builtin("ca-1")))
    local.wait_for("plain text is refused", lambda: not local.greet("127.0.0.1", port))
    local.wait_for("the mesh connects", lambda: local.greet(
        "127.0.0.1", zone.outbounds["backend"]).startswith("backend-"))
    stage.expect_split(zone, {"backend-v0": 0.9, "backend-v1": 0.1})
    certificate = peer_of(port)
    expect(certificate, "the inbound speaks no TLS")
    expect(local.greet("127.0.0.1", port) == "", "plain text is let in")
    stage.wait(hub, put_mesh(hub, None))
    local.wait_for("plain text again",
                   lambda: local.greet("127.0.0.1", port) == "backend-v0")
    return "90/10 by mTLS, plain text refused"


@scenario()
def permissive_mtls_takes_both(stage):
    """PERMISSIVE: plain text and the mesh's TLS at one inbound; then STRICT."""
    hub = stage.mesh.start_global()
    zone = stage.zone_with_backends("east", hub, versions=("v0",))
    stage.start_envoys(zone)
    stage.wait(hub, put_mesh(hub, "ca-1", builtin("ca-1", mode="PERMISSIVE")))
    port, out = inbound(zone, "backend-v0"), zone.outbounds[SERVICE]
    local.wait_for("the mesh connects",
                   lambda: local.greet("127.0.0.1", out) == "backend-v0")
    shaken = f"listener.127.0.0.1_{port}.ssl.handshake"
    local.wait_for("clients use mTLS", lambda: local.greet("127.0.0.1", out) and any(
        zone.envoys["backend-v0"].stats(shaken).values()))
    for _ in range(3):
        expect(local.greet("127.0.0.1", port) == "backend-v0", "plain text is refused")
        expect(local.greet("127.0.0.1", out) == "backend-v0", "the mesh is refused")
    stage.wait(hub, put_mesh(hub, "ca-1", builtin("ca-1")))
    local.wait_for("plain text is refused", lambda: not local.greet("127.0.0.1", port))
    local.wait_for("the mesh connects",
                   lambda: local.greet("127.0.0.1", out) == "backend-v0")
    return "plain text and mTLS at one inbound"


@scenario()
def another_authority_cuts_nothing(stage):
    """The authority changes under load, over two roots: no connection fails or is cut."""
    hub = stage.mesh.start_global()
    zone = stage.zone_with_backends("east", hub, versions=("v0",))
    stage.start_envoys(zone, drain_seconds=3)
    out, port = zone.outbounds[SERVICE], inbound(zone, "backend-v0")
    stage.wait(hub, put_mesh(hub, "ca-1", builtin("ca-1")))
    local.wait_for("the mesh connects",
                   lambda: local.greet("127.0.0.1", out) == "backend-v0")
    before, held = peer_of(port), hold(out)
    first, second = builtin("ca-1"), builtin("ca-2")
    with Load(out) as load:
        for enabled, backends in (("ca-1", (first, second)), ("ca-2", (first, second)),
                                  ("ca-2", (second,))):
            stage.wait(hub, put_mesh(hub, enabled, *backends))
            start = load.count
            local.wait_for("connections under the change",
                           lambda s=start: load.count > s + 100)
        local.wait_for("another certificate", lambda: peer_of(port) not in (None, before))
        time.sleep(5)  # longer than the drain time: what would be cut is cut by now
    expect(load.failed == 0, f"{load.failed} of {load.count} connections failed")
    expect_uncut(held)
    status, answer = local.request(hub.api, "PUT", "/meshes/default", {
        "type": "Mesh", "name": "default",
        "mtls": {"enabledBackend": "ca-3", "backends": [builtin("ca-3")]}})
    expect(status == 400, f"another authority in one step: {status} {answer}")
    return f"0 of {load.count} failed, 0 of {HELD} cut"


def authority_in_text(stage):
    """A backend whose authority stands in the Mesh."""
    cert, key = stage.mesh.path("ca.pem"), stage.mesh.path("ca.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj", "/CN=own",
                    "-addext", "keyUsage=critical,keyCertSign", "-addext",
                    "subjectAltName=URI:spiffe://default", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    conf = {}
    for field, path in (("cert", cert), ("key", key)):
        with open(path, encoding="ascii") as file:
            conf[field] = {"inlineString": file.read()}
    return {"name": "ca-1", "type": "provided", "conf": conf}


@scenario()
def a_zone_alone_signs_by_the_authority_in_its_mesh(stage):
    """A zone without a global refuses an authority that it cannot have, and takes one in text."""
    zone = stage.zone_with_backends("east", None, versions=("v0",))
    document = {"type": "Mesh", "name": "default", "mtls": {
        "enabledBackend": "ca-1", "backends": [builtin("ca-1")]}}
    status, answer = local.request(zone.api, "PUT", "/meshes/default", document)
    expect(status == 400 and answer["invalid_parameters"][0]["field"] == "mtls.enabledBackend",
           f"a builtin authority: {status} {answer}")
    put_mesh(zone, "ca-1", authority_in_text(stage))
    stage.start_envoys(zone)
    port, out = inbound(zone, "backend-v0"), zone.outbounds[SERVICE]
    local.wait_for("the mesh connects",
                   lambda: local.greet("127.0.0.1", out) == "backend-v0")
    expect(peer_of(port), "the inbound speaks no TLS")
    expect(local.greet("127.0.0.1", port) == "", "plain text is let in")
    return "builtin refused, provided in text works"

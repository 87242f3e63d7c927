"""Who may connect: MeshTrafficPermission at the inbounds of real Envoys, and what they count."""
import socket
import time

import local
from scenarios_mtls import HELD, builtin, expect_uncut, hold, inbound
from story import SERVICE, expect, scenario

PATH = "/meshes/default/meshtrafficpermissions/who"


def permit(stage, hub, **spec):
    """Write the one permission of the mesh, and wait until all proxies have it."""
    status, answer = local.request(hub.api, "PUT", PATH, {
        "type": "MeshTrafficPermission", "name": "who", "mesh": "default", "spec": spec})
    expect(status in (200, 201), f"PUT permission: {status} {answer}")
    stage.wait(hub, answer["revision"])


def withdraw(stage, hub):
    """No permission any more."""
    status, answer = local.request(hub.api, "DELETE", PATH)
    expect(status == 200, f"DELETE permission: {status} {answer}")
    stage.wait(hub, answer["revision"])


def mtls(stage, hub, **more):
    """Mutual TLS, and what the mesh does by default."""
    status, answer = local.request(hub.api, "PUT", "/meshes/default", {
        "type": "Mesh", "name": "default", "mtls": {
            "enabledBackend": "ca-1", "backends": [builtin("ca-1")], **more}})
    expect(status in (200, 201), f"PUT mesh: {status} {answer}")
    stage.wait(hub, answer["revision"])


def of(action, *services):
    """Items of from: these services, or all of the mesh."""
    return [{"targetRef": {"kind": "MeshSubset", "tags": {"kuma.io/service": service}}
             if service else {"kind": "Mesh"}, "default": {"action": action}}
            for service in services or (None,)]


def name(kind, value):
    """A client of rules."""
    return {"spiffeID": {"type": kind, "value": f"spiffe://default/{value}"}}


class Server:
    """A backend with two clients, web and other, each by its own Envoy."""

    def __init__(self, stage, hub):
        self.zone = stage.zone_with_backends("east", hub, versions=("v0",))
        other = stage.mesh.client(self.zone, "other", [SERVICE])
        local.wait_for("the other client", lambda: self.zone.get(
            "/meshes/default/dataplanes")["total"] == 3)
        self.zone.proxies.append("other")
        stage.start_envoys(self.zone, drain_seconds=3)
        self.ports = {"web": self.zone.outbounds[SERVICE], "other": other[SERVICE]}
        port = inbound(self.zone, "backend-v0")
        self.rbac = f"inbound_127_0_0_1_{port}.rbac."
        self.gate = f"listener.127.0.0.1_{port}.ssl.fail_verify_san"

    def greets(self, client):
        """Whether a connection of client is answered."""
        return local.greet("127.0.0.1", self.ports[client]) == "backend-v0"

    def greets_in_silence(self, client):
        """The same of one that waits to be spoken to."""
        with socket.create_connection(("127.0.0.1", self.ports[client]), 5) as link:
            link.settimeout(3)
            try:
                return link.recv(64) != b""
            except OSError:
                return False

    def counts(self, prefix):
        """What the backend's Envoy counted."""
        return sum(self.zone.envoys["backend-v0"].stats(prefix).values())

    def expect_only(self, *clients):
        """These are answered, and no others."""
        for client in clients:
            local.wait_for(f"{client} is let in", lambda c=client: self.greets(c))
        for client in set(self.ports) - set(clients):
            local.wait_for(f"{client} is kept out", lambda c=client: not self.greets(c))
            expect(not self.greets_in_silence(client), f"{client} was greeted")


@scenario()
def who_is_permitted_comes_in(stage):
    """Nobody by default; then one client, all but one, all with one that is only counted."""
    hub = stage.mesh.start_global()
    server = Server(stage, hub)
    mtls(stage, hub)
    server.expect_only()
    local.wait_for("the gate counts", lambda: server.counts(server.gate) > 0)
    permit(stage, hub, **{"from": of("Allow", "web")})
    server.expect_only("web")
    permit(stage, hub, **{"from": of("AllowWithShadowDeny") + of("Allow", "web")})
    server.expect_only("web", "other")
    local.wait_for("the shadow counts",
                   lambda: server.counts(server.rbac + "shadow_denied") > 0)
    expect(server.counts(server.rbac + "denied") == 0, "a shadow denied for good")
    # The gate is wider than that; the filter denies, and who stays silent may be greeted.
    permit(stage, hub, rules=[{"default": {"allow": [name("Prefix", "")],
                                           "deny": [name("Exact", "other")]}}])
    local.wait_for("other is kept out", lambda: not server.greets("other"))
    expect(server.greets("web"), "web is kept out")
    local.wait_for("the filter counts", lambda: server.counts(server.rbac + "denied") > 0)
    withdraw(stage, hub)
    server.expect_only()
    mtls(stage, hub, defaultPermission="Allow")
    server.expect_only("web", "other")
    return "denied, allowed, counted in shadow; deny beats allow; default Allow"


@scenario()
def a_permission_cuts_nothing(stage):
    """Given, withdrawn and given again under held connections: none is cut, new ones follow."""
    hub = stage.mesh.start_global()
    server = Server(stage, hub)
    mtls(stage, hub)
    permit(stage, hub, **{"from": of("Allow", "web")})
    local.wait_for("web is let in", lambda: server.greets("web"))
    held = hold(server.ports["web"])
    for _ in range(3):
        withdraw(stage, hub)
        local.wait_for("web is kept out", lambda: not server.greets("web"))
        permit(stage, hub, rules=[{"default": {"allow": [name("Exact", "other")]}}])
        server.expect_only("other")
        permit(stage, hub, **{"from": of("Allow", "web")})
        server.expect_only("web")
    time.sleep(5)  # longer than the drain time: what would be cut is cut by now
    expect_uncut(held)
    return f"0 of {HELD} cut by 9 changes"

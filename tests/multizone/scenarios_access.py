"""Who may use the APIs: TLS, tokens, roles, and who is refused."""
import json
import os
import socket

from story import expect, scenario


def other_address():
    """An address of this machine that is not loopback, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = probe.getsockname()[0]
        return None if address.startswith("127.") else address


class Caller:
    """zonelinkctl as somebody on another machine runs it."""

    def __init__(self, stage, daemon, host, identity):
        port = daemon.api.rsplit(":", 1)[1]
        self.mesh, self.here = stage.mesh, f"http://127.0.0.1:{port}"
        self.plain, self.url = f"http://{host}:{port}", f"https://{host}:{port}"
        self.who = ("--ca", stage.mesh.path(f"{daemon.name}/pki/ca.crt"),
                    "--identity", identity)

    def ask(self, code, *args, token=None):
        """Ask by TLS and expect the exit code."""
        shown = ("--token-file", token) if token else ()
        return self.mesh.ctl("--server", self.url, *self.who, *shown, *args, code=code)

    def token(self, role, file):
        """A token of this role, made by an admin on the machine itself; (file, id)."""
        made = json.loads(self.mesh.ctl("--server", self.here, "token", "create", "--user",
                                        "ann", "--role", role, "--ttl", "1h", "-o", "json"))
        path = self.mesh.path(file)
        with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w",
                  encoding="ascii") as out:
            out.write(made["token"])
        return path, made["id"]


@scenario(needs_envoy=False)
def strangers_need_a_token(stage):
    """From elsewhere the APIs answer by TLS and to tokens, each role as far as it goes."""
    everywhere = {"api.listen": "0.0.0.0:0"}
    hub = stage.mesh.start_global(**everywhere)
    east = stage.mesh.start_zone("east", hub, **everywhere)
    host = other_address() or "127.0.0.1"
    there = Caller(stage, hub, host, "global")
    zone = Caller(stage, east, host, "zone/east")

    there.ask(6, "get", "meshes")
    viewer, viewer_id = there.token("viewer", "viewer")
    operator, _ = there.token("operator", "operator")
    admin, _ = there.token("admin", "admin")
    there.ask(0, "get", "meshes", token=viewer)
    there.ask(6, "delete", "mesh", "none", token=viewer)
    there.ask(4, "delete", "mesh", "none", token=operator)
    there.ask(6, "token", "revoke", viewer_id, token=operator)
    there.ask(0, "token", "revoke", viewer_id, token=admin)
    there.ask(6, "get", "meshes", token=viewer)

    zone.ask(6, "get", "dataplanes", token=admin)  # a zone has users of its own
    zone.ask(0, "get", "dataplanes", token=zone.token("viewer", "of-east")[0])
    there.who = zone.who  # who means the zone does not show global a token
    there.ask(7, "get", "meshes", token=operator)

    hub.stop()
    hub.start()
    there = Caller(stage, hub, host, "global")
    there.ask(6, "get", "meshes", token=viewer)  # revoked stays revoked
    there.ask(0, "get", "meshes", token=operator)
    if host != "127.0.0.1":
        stage.mesh.ctl("--server", there.plain, "get", "meshes", code=6)
        refused = hub.metrics()['zonelink_auth_failures_total{reason="not_by_tls"}']
        expect(refused == 1, f"refused plain requests: {refused}")
    with open(hub.process.log, encoding="utf-8") as log, \
            open(operator, encoding="ascii") as token:
        expect(token.read()[-40:] not in log.read(), "a token is in the log")

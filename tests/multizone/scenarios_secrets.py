"""Secrets: kept sealed, replicated as versions, given to zones that have a use for them."""
import base64
import os

import local
from story import expect, scenario

CONTENTS = {"ca-cert": b"-----BEGIN CERTIFICATE----- certainly",
            "ca-key": b"-----BEGIN PRIVATE KEY----- nobody may know"}
NEW_KEY = b"-----BEGIN PRIVATE KEY----- nobody may know this either"


def put_secret(hub, name, content):
    """PUT it; the answer."""
    status, answer = local.request(
        hub.api, "PUT", f"/meshes/default/secrets/{name}",
        {"type": "Secret", "mesh": "default", "name": name,
         "data": base64.b64encode(content).decode()})
    expect(status in (200, 201), f"PUT {name}: {status} {answer}")
    return answer


def name_in_mesh(hub, names):
    """Let a provided CA of the mesh be made of these two Secrets, or of none."""
    mtls = {"skipValidation": True, "backends": [{"name": "ca", "type": "provided", "conf": {
        "cert": {"secret": names[0]}, "key": {"secret": names[1]}}}]} if names else {}
    status, answer = local.request(hub.api, "PUT", "/meshes/default", {
        "type": "Mesh", "name": "default", "mtls": mtls})
    expect(status == 200, f"PUT mesh: {status} {answer}")


def counts(zone):
    """How many contents the zone needs, and how many of them it has not."""
    secrets = zone.get("/_status")["secrets"]
    return secrets["needed"], secrets["missing"]


def files_with(folder, needle):
    """Files below folder that hold needle, or needle in base64."""
    coded = base64.b64encode(needle)[:-4]
    found = []
    for path, _, names in os.walk(folder):
        for name in names:
            full = os.path.join(path, name)
            if os.path.isfile(full) and not full.endswith(".sock"):
                with open(full, "rb") as file:
                    data = file.read()
                if needle in data or coded in data:
                    found.append(full)
    return found


@scenario(needs_envoy=False)
def secrets_reach_only_who_needs_them(stage):
    """Contents go, sealed, to zones whose meshes name them; a dead global takes none away."""
    hub = stage.mesh.start_global()
    east = stage.zone_with_backends("east", hub)
    west = stage.mesh.start_zone("west", hub)
    for name, content in CONTENTS.items():
        put_secret(hub, name, content)
    again = put_secret(hub, "ca-key", CONTENTS["ca-key"])
    expect(again["result"] == "unchanged", f"the same content again: {again}")
    name_in_mesh(hub, ("ca-cert", "ca-key"))
    local.wait_for("east has both contents", lambda: counts(east) == (2, 0))
    expect(counts(west) == (0, 0), f"west needs none: {counts(west)}")

    shown = hub.get("/meshes/default/secrets/ca-key")
    expect(base64.b64decode(shown["data"]) == CONTENTS["ca-key"], f"global shows {shown}")
    expect(shown["status"]["usedBy"] == "Mesh default, backend ca", f"{shown['status']}")
    there = east.get("/meshes/default/secrets/ca-key")
    expect("data" not in there and there["version"] == shown["version"],
           f"east shows {there}")

    put_secret(hub, "ca-key", NEW_KEY)
    version = hub.get("/meshes/default/secrets/ca-key")["version"]
    expect(version != shown["version"], "another content has another version")
    local.wait_for("east has the new version and its content", lambda: east.get(
        "/meshes/default/secrets/ca-key")["version"] == version and counts(east) == (2, 0))

    status, answer = local.request(hub.api, "DELETE", "/meshes/default/secrets/ca-key")
    expect(status == 409 and "in use in Mesh" in answer["detail"],
           f"DELETE of what is used: {status} {answer}")
    hub.kill()
    east.kill()
    east.start()
    local.wait_for("east has them without global", lambda: counts(east) == (2, 0))
    for content in (*CONTENTS.values(), NEW_KEY):
        found = files_with(stage.mesh.folder, content)
        expect(not found, f"a content lies open in {found}")
    hub.start()
    name_in_mesh(hub, None)
    local.wait_for("east needs none any more", lambda: counts(east) == (0, 0))
    status, answer = local.request(hub.api, "DELETE", "/meshes/default/secrets/ca-key")
    expect(status == 200, f"DELETE of what nobody uses: {status} {answer}")


@scenario(needs_envoy=False)
def secrets_are_not_kept_in_the_open(stage):
    """A zone alone takes no Secret, neither by its API nor from its folder."""
    zone = stage.mesh.start_zone("east", None)
    secret = {"type": "Secret", "name": "s", "mesh": "default", "data": "aGVsbG8="}
    status, answer = local.request(zone.api, "PUT", "/meshes/default/secrets/s", secret)
    expect(status == 405, f"PUT at a zone alone: {status} {answer}")
    stage.mesh.put_file(zone, "secret.yaml", secret)

    def fault():
        return [file.get("error", "") for file in zone.get("/_status")["files"]
                if file["file"] == "secret.yaml"]

    local.wait_for("the file is refused", lambda: any(
        "kind Secret is not kept in a folder" in text for text in fault()))
    status, _ = local.request(zone.api, "GET", "/meshes/default/secrets/s")
    expect(status == 404, f"GET: {status}")

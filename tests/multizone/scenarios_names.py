"""Host names in place of addresses: a zone finds their addresses, Envoys never see them."""
import local
from story import SERVICE, expect, scenario


@scenario()
def a_host_name_is_an_address(stage):
    """Dataplanes with host names are served; one whose name is unknown takes nothing down."""
    zone = stage.zone_with_backends("east", None, versions=("v0",))
    known = stage.mesh.backend(zone, "backend-v0", SERVICE, {"version": "v0"})
    unknown = stage.mesh.backend(zone, "backend-v1", SERVICE, {"version": "v1"})
    known["networking"]["address"] = "localhost"
    unknown["networking"]["address"] = "nobody.invalid"
    stage.mesh.put_file(zone, "backend-v0.yaml", known)
    stage.mesh.put_file(zone, "backend-v1.yaml", unknown)

    def endpoints():
        found = stage.routes(zone)[SERVICE]["backends"][0]["endpoints"]
        return [(at["address"], at["port"]) for at in found]

    there = ("127.0.0.1", known["networking"]["inbound"][0]["port"])
    local.wait_for("localhost has its address", lambda: endpoints() == [there])
    stage.start_envoys(zone)
    counts = local.count_greetings(zone.outbounds[SERVICE], 50)
    expect(counts == {"backend-v0": 50}, f"{counts}")

    shown = zone.get("/meshes/default/dataplanes/backend-v0")
    expect(shown["networking"]["address"] == "localhost", f"{shown}")
    log = zone.process.tail(50)
    expect('a host name has no address" name="nobody.invalid"' in log, log[-2000:])

"""The demo: one global, zones east and west, real Envoys, a split that changes, and one
across the zones."""
import argparse
import collections
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import local  # noqa: E402  (needs the path above)

CONNECTIONS = 2000
EXAMPLES = os.path.join(local.ROOT, "deploy", "examples")
SERVICE = "backend_kuma-demo_svc_3001"


def say(text=""):
    """Print a line at once."""
    print(text, flush=True)


def start_zone(mesh, hub, name):
    """A zone with two versions of the backend, another service, a frontend, an ingress."""
    say(f"$ zonelinkctl token create --zone {name} > {name}.token   # the zone joins with it")
    zone = mesh.start_zone(name, hub)
    for version in ("v0", "v1"):
        mesh.backend(zone, f"backend-{version}", SERVICE, {"version": version},
                     says=f"{name}/backend-{version}")
    mesh.backend(zone, "external", "external-backend", says=f"{name}/external")
    zone.outbounds = mesh.client(zone, "web", ["backend"], {"app": "frontend"})
    local.wait_for(f"{name} has its Dataplanes",
                   lambda: zone.get("/meshes/default/dataplanes")["total"] == 4)
    mesh.ingress(zone, "ingress")
    if mesh.envoy:
        zone.envoys = [mesh.start_envoy(zone, proxy) for proxy in
                       ("web", "backend-v0", "backend-v1", "external", "ingress")]
    return zone


def apply(mesh, hub, document, want):
    """Apply with --wait and print what it says."""
    say(f"\n$ zonelinkctl apply -f {document} --wait   # {want}")
    path = document if os.path.exists(document) else os.path.join(EXAMPLES, document)
    for line in mesh.ctl("apply", "-f", path, "--wait", server=hub).splitlines():
        say(f"  {line}")


def observe(zones, shares, by_zone=False):
    """Count who answers in each zone, or which zone answers, and hold it against the
    weights; True if it fits.

    A fair split misses the 99.9 % interval once in a thousand: a miss is counted again.
    """
    fits = True
    for zone in zones:
        total = CONNECTIONS
        counts = count(zone, total, by_zone)
        if local.misses(counts, total, shares):
            total *= 2
            counts = count(zone, total, by_zone)
        missed = local.misses(counts, total, shares)
        for name, share in shares.items():
            seen = counts.get(name, 0)
            say(f"  {zone.name:5} {name:12} configured {100 * share:5.1f} %   observed "
                f"{100 * seen / total:5.1f} %  ({seen} of {total})"
                f"{'   OUTSIDE the 99.9 % interval' if name in missed else ''}")
        strangers = {name: n for name, n in counts.items() if name not in shares}
        if strangers:
            say(f"  {zone.name:5} unexpected: {strangers}")
        fits = fits and not missed and not strangers
    return fits


def count(zone, total, by_zone):
    """Who of a zone answers its frontend, or which zone does: {name: connections}."""
    counts = collections.Counter()
    for name, seen in local.count_greetings(zone.outbounds["backend"], total).items():
        answered, _, proxy = name.partition("/")
        stays = answered == zone.name
        counts[answered if by_zone else proxy if stays else name] += seen
    return counts


def show_observed(mesh, zone):
    """Connections until the zone heard of enough: the observed split beside the configured.

    What its Envoy reports first may be of the weights before, so the zone leaves it out.
    """
    path = "/meshes/default/dataplanes/web/_routes?to=backend&observed=1"

    def reported():
        local.count_greetings(zone.outbounds["backend"], 100)
        outbound = zone.get(path)["proxies"][0]["outbounds"][0]
        return sum(backend["observed"].get("connections", 0)
                   for backend in outbound["backends"]) >= CONNECTIONS // 2

    local.wait_for("the Envoy reports its connections", reported, seconds=60)
    say(mesh.ctl("explain", "web", "--observed", server=zone))


def show_without_envoy(mesh, zones):
    """Where there is no Envoy: the routes and what Envoy would be sent."""
    for zone in zones:
        say(f"\n$ zonelinkctl explain web   # in zone {zone.name}")
        say(mesh.ctl("explain", "web", server=zone))
    say(f"$ curl --unix-socket {zones[0].api[5:]} "
        "http://localhost/meshes/default/dataplanes/web/_config")
    say(local.request(zones[0].api, "GET", "/meshes/default/dataplanes/web/_config")[1])


def change_weights(mesh, text, first, second):
    """The split example with other weights, as a file."""
    path = mesh.path("split-changed.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("weight: 90", f"weight: {first}")
                   .replace("weight: 10", f"weight: {second}"))
    return path


def show(mesh):
    """The story of the demo; True if all that was observed is as configured."""
    hub = mesh.start_global()
    zones = [start_zone(mesh, hub, name) for name in ("east", "west")]
    say(f"global and zones east, west are up; {'10 Envoys' if mesh.envoy else 'no Envoy'}")
    with open(os.path.join(EXAMPLES, "split.yaml"), encoding="utf-8") as file:
        split = file.read()

    apply(mesh, hub, "split.yaml", "v0 90, v1 10")
    if not mesh.envoy:
        say("\nNo Envoy can be had here, so no traffic flows: this is what Envoy would get.")
        show_without_envoy(mesh, zones)
        return True
    fits = observe(zones, {"backend-v0": 0.9, "backend-v1": 0.1})
    apply(mesh, hub, change_weights(mesh, split, 20, 80), "v0 20, v1 80")
    fits = observe(zones, {"backend-v0": 0.2, "backend-v1": 0.8}) and fits
    apply(mesh, hub, "redirect.yaml", "everything to another service")
    fits = observe(zones, {"external": 1.0}) and fits
    apply(mesh, hub, "mtls.yaml", "mutual TLS; ingresses lead from zone to zone")
    apply(mesh, hub, "across.yaml", "east 80, west 20, from either zone")
    fits = observe(zones, {"east": 0.8, "west": 0.2}, by_zone=True) and fits

    say("\n$ zonelinkctl zones")
    say(mesh.ctl("zones", server=hub))
    say("$ zonelinkctl explain web --observed   # in zone east: why? what really happened?")
    show_observed(mesh, zones[0])
    return fits


def stay(mesh):
    """Let people try things until they press Ctrl-C."""
    say("The mesh stays up until Ctrl-C. Try:")
    ctl = os.path.join(mesh.bin, "zonelinkctl")
    for daemon in mesh.daemons:
        say(f"  {ctl} --server {daemon.api} version")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        say("\nending")


def main():
    """Run the demo; exit status 0 if everything fits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", action="store_true", help="run once and exit")
    parser.add_argument("--keep", action="store_true", help="keep the folder of the run")
    args = parser.parse_args()
    try:
        with local.Mesh(keep=args.keep) as mesh:
            fits = show(mesh)
            say("demo: everything observed is as configured" if fits
                else "demo: FAILED, see above")
            if not args.once:
                stay(mesh)
    except local.Failure as failure:
        say(f"demo: FAILED: {failure}")
        fits = False
    sys.exit(0 if fits else 1)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Does Envoy take what we make? Runs `envoy --mode validate` over the goldens.

    accepted.py SOURCE_DIR

A config of the goldens is tried twice: as it is, beside an xDS server to ask for the rest;
and made static, where each filter that is only named gets its extension, each EDS cluster
its endpoints. Without an Envoy (.envoy/ of the checkout, else PATH) it exits 77: skipped.
"""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile


def find_envoy(source):
    own = os.path.join(source, ".envoy", "envoy")
    return own if os.access(own, os.X_OK) else shutil.which("envoy")


def bootstrap(config, **more):
    return {"node": {"id": "web-01", "cluster": "web"},
            "staticResources": {"listeners": config["listeners"],
                                "clusters": config["clusters"] + more.pop("clusters", [])},
            **more}


def as_sent(config):
    """The bootstrap that still has to ask for extensions and endpoints."""
    options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    server = {"name": "zonelink/ads", "type": "STATIC",
              "loadAssignment": {"clusterName": "zonelink/ads"},
              "typedExtensionProtocolOptions": {options: {
                  "@type": "type.googleapis.com/" + options,
                  "explicitHttpConfig": {"http2ProtocolOptions": {}}}}}
    ads = {"apiType": "DELTA_GRPC", "transportApiVersion": "V3",
           "grpcServices": [{"envoyGrpc": {"clusterName": server["name"]}}]}
    return bootstrap(config, clusters=[server], dynamicResources={"adsConfig": ads})


def static(config):
    """The bootstrap with everything in it."""
    extensions = {e["name"]: e["typedConfig"] for e in config["extensions"]}
    endpoints = {e["clusterName"]: e for e in config["endpoints"]}
    for listener in config["listeners"]:
        for chain in listener["filterChains"]:
            for one in chain["filters"]:
                del one["configDiscovery"]
                one["typedConfig"] = extensions[one["name"]]
    for cluster in config["clusters"]:
        if cluster["type"] == "EDS":
            del cluster["edsClusterConfig"]
            cluster["type"] = "STATIC"
            cluster["loadAssignment"] = endpoints[cluster["name"]]
    return bootstrap(config)


def validate(envoy, path):
    done = subprocess.run(
        [envoy, "--mode", "validate", "-c", path, "--log-level", "warning"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return None if done.returncode == 0 else done.stdout


def tries(path, folder):
    """The bootstraps to try for one golden: (what, path)."""
    name = os.path.basename(path)
    if not name.endswith(".json"):
        return [(name, path)]
    found = []
    for make in (as_sent, static):
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
        made = os.path.join(folder, f"{make.__name__}-{name}")
        with open(made, "w", encoding="utf-8") as file:
            json.dump(make(config), file)
        found.append((f"{name} {make.__name__}", made))
    return found


def main():
    source = sys.argv[1]
    envoy = find_envoy(source)
    if envoy is None:
        print("SKIPPED: no Envoy: deploy/install-deps says why")
        return 77
    failed = 0
    files = sorted(glob.glob(os.path.join(source, "tests/unit/envoy/golden/*")))
    with tempfile.TemporaryDirectory() as folder:
        for path in files:
            for what, made in tries(path, folder):
                refused = validate(envoy, made)
                print(f"{what}: {'accepted' if refused is None else refused}")
                failed += refused is not None
    if not files:
        print("no goldens")
    return 1 if failed or not files else 0


if __name__ == "__main__":
    sys.exit(main())

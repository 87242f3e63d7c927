"""Envoy's own word on what we make: `envoy --mode validate` over configurations.

A configuration (what `-o envoy` prints: listeners, extensions, clusters, endpoints) is
tried twice: as it is sent, beside an xDS server to ask for the rest; and made static,
where each filter that is only named gets its extension, each EDS cluster its endpoints.
"""
import concurrent.futures
import copy
import json
import os
import shutil
import subprocess
import tempfile

SKIPPED = 77


def find_envoy(source):
    """Path of the Envoy to ask, or None: .envoy/ of the checkout, else PATH."""
    own = os.path.join(source, ".envoy", "envoy")
    return own if os.access(own, os.X_OK) else shutil.which("envoy")


def bootstrap(config, servers=(), **more):
    """A bootstrap with the listeners and clusters of config, and these servers."""
    return {"node": {"id": "web-01", "cluster": "web"},
            "staticResources": {"listeners": config["listeners"],
                                "clusters": [*config["clusters"], *servers]},
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
    return bootstrap(config, [server], dynamicResources={"adsConfig": ads})


class Missing(Exception):
    """A configuration names something that it does not hold."""


def named(found, kind, name):
    """What a configuration holds under this name."""
    if name not in found:
        raise Missing(f"no {kind} named {name}")
    return found[name]


def static(config):
    """The bootstrap with everything in it; config stays as it is."""
    made = copy.deepcopy(config)
    extensions = {e["name"]: e["typedConfig"] for e in made["extensions"]}
    endpoints = {e["clusterName"]: e for e in made["endpoints"]}
    for listener in made["listeners"]:
        for chain in listener["filterChains"]:
            for one in chain["filters"]:
                if one.pop("configDiscovery", None):
                    one["typedConfig"] = named(extensions, "extension", one["name"])
    for cluster in made["clusters"]:
        if cluster["type"] == "EDS":
            cluster.pop("edsClusterConfig", None)
            cluster["type"] = "STATIC"
            cluster["loadAssignment"] = named(endpoints, "endpoints", cluster["name"])
    return bootstrap(made)


def validate(envoy, path):
    """None if Envoy takes the bootstrap at path, else what it says."""
    done = subprocess.run(
        [envoy, "--mode", "validate", "-c", path, "--log-level", "warning",
         "--concurrency", "1"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return None if done.returncode == 0 else done.stdout or f"exit {done.returncode}"


def try_both(envoy, path, folder):
    """Try the configuration in the file at path both ways: [(way, refusal or None)]."""
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    answers = []
    for make in (as_sent, static):
        with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".json") as file:
            try:
                json.dump(make(config), file)
                file.flush()
                answers.append((make.__name__, validate(envoy, file.name)))
            except Missing as missing:
                answers.append((make.__name__, str(missing)))
    return answers


def check(source, configs, bootstraps=()):
    """Try files of configurations {name: path}, and of bootstraps as they are, two at a
    time; print each answer. The exit code: 0, 1 if one is refused, 77 without an Envoy."""
    envoy = find_envoy(source)
    if envoy is None:
        print("SKIPPED: no Envoy: deploy/install-deps says why")
        return SKIPPED
    refused = 0
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(2) as pool:
        asked = [(name, pool.submit(try_both, envoy, path, folder))
                 for name, path in configs.items()]
        asked += [(name, pool.submit(lambda p: [("as it is", validate(envoy, p))], path))
                  for name, path in dict(bootstraps).items()]
        for name, answer in asked:
            for way, refusal in answer.result():
                print(f"{name} {way}: {'accepted' if refusal is None else refusal}")
                refused += refusal is not None
    print(f"{len(asked)} configurations, {refused} refusals")
    return 1 if refused or not asked else 0

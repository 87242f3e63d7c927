"""Envoy's own word on what we make: `envoy --mode validate` over configurations.

A configuration (what `-o envoy` prints: listeners, extensions, routes, clusters,
endpoints) is tried twice: as it is sent, beside an xDS server to ask for the rest; and made
static, where each filter that is only named gets its extension, each HTTP connection manager
its routes, each EDS cluster its endpoints, and each Secret a certificate made for it.
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


def as_sent(config, pairs):
    """The bootstrap that still has to ask for extensions, routes and endpoints. The Secrets
    of clusters are in it: asked for by static clusters, Envoy 1.40.0 crashes."""
    config = copy.deepcopy(config)
    options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    server = {"name": "zonelink/ads", "type": "STATIC",
              "loadAssignment": {"clusterName": "zonelink/ads"},
              "typedExtensionProtocolOptions": {options: {
                  "@type": "type.googleapis.com/" + options,
                  "explicitHttpConfig": {"http2ProtocolOptions": {}}}}}
    ads = {"apiType": "DELTA_GRPC", "transportApiVersion": "V3",
           "grpcServices": [{"envoyGrpc": {"clusterName": server["name"]}}]}
    secrets = take_secrets(config["clusters"], pairs)
    made = bootstrap(config, [server], dynamicResources={"adsConfig": ads})
    made["staticResources"]["secrets"] = secrets
    return made


class Missing(Exception):
    """A configuration names something that it does not hold."""


def named(found, kind, name):
    """What a configuration holds under this name."""
    if name not in found:
        raise Missing(f"no {kind} named {name}")
    return found[name]


def secret_refs(part):
    """Every reference to a Secret below part: [(is it a pair, the reference)]."""
    if isinstance(part, list):
        return [ref for one in part for ref in secret_refs(one)]
    if not isinstance(part, dict):
        return []
    found = [(True, ref) for ref in part.get("tlsCertificateSdsSecretConfigs", [])]
    if "validationContextSdsSecretConfig" in part:
        found.append((False, part["validationContextSdsSecretConfig"]))
    return found + [ref for one in part.values() for ref in secret_refs(one)]


def make_pair(folder, kind):
    """A self-signed certificate and its key, PEM in one text."""
    path = os.path.join(folder, kind)
    how = ["rsa:2048"] if kind == "rsa" else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    subprocess.run(["openssl", "req", "-x509", "-nodes", "-newkey", *how, "-subj", "/CN=x",
                    "-keyout", path + ".key", "-out", path + ".crt"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(path + ".crt", encoding="ascii") as crt, \
            open(path + ".key", encoding="ascii") as key:
        return crt.read() + key.read()


def take_secrets(made, pairs):
    """Make the references of made local; what they refer to."""
    secrets = {}
    for is_pair, ref in secret_refs(made):
        ref.pop("sdsConfig", None)
        pem = {"inlineString": pairs["rsa" if ".rsa:" in ref["name"] else "ecdsa"]}
        secrets[ref["name"]] = {"name": ref["name"], **(
            {"tlsCertificate": {"certificateChain": pem, "privateKey": pem}} if is_pair
            else {"validationContext": {"trustedCa": pem}})}
    return list(secrets.values())


def static(config, pairs):
    """The bootstrap with everything in it; config stays as it is."""
    made = copy.deepcopy(config)
    tables = {t["name"]: t for t in made.get("routes", [])}
    extensions = {e["name"]: e["typedConfig"] for e in made["extensions"]}
    endpoints = {e["clusterName"]: e for e in made["endpoints"]}
    for listener in made["listeners"]:
        for chain in listener["filterChains"]:
            for one in chain["filters"]:
                if one.pop("configDiscovery", None):
                    one["typedConfig"] = named(extensions, "extension", one["name"])
                rds = one["typedConfig"].pop("rds", None)
                if rds:
                    one["typedConfig"]["routeConfig"] = named(
                        tables, "route table", rds["routeConfigName"])
    for cluster in made["clusters"]:
        if cluster["type"] == "EDS":
            cluster.pop("edsClusterConfig", None)
            cluster["type"] = "STATIC"
            cluster["loadAssignment"] = named(endpoints, "endpoints", cluster["name"])
    made = bootstrap(made)
    made["staticResources"]["secrets"] = take_secrets(made, pairs)
    return made


def validate(envoy, path):
    """None if Envoy takes the bootstrap at path, else what it says."""
    done = subprocess.run(
        [envoy, "--mode", "validate", "-c", path, "--log-level", "warning",
         "--concurrency", "1"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return None if done.returncode == 0 else done.stdout or f"exit {done.returncode}"


def try_both(envoy, path, folder, pairs):
    """Try the configuration in the file at path both ways: [(way, refusal or None)]."""
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    answers = []
    for make in (as_sent, static):
        with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".json") as file:
            try:
                json.dump(make(config, pairs), file)
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
        pairs = {kind: make_pair(folder, kind) for kind in ("rsa", "ecdsa")}
        asked = [(name, pool.submit(try_both, envoy, path, folder, pairs))
                 for name, path in configs.items()]
        asked += [(name, pool.submit(lambda p: [("as it is", validate(envoy, p))], path))
                  for name, path in dict(bootstraps).items()]
        for name, answer in asked:
            for way, refusal in answer.result():
                print(f"{name} {way}: {'accepted' if refusal is None else refusal}")
                refused += refusal is not None
    print(f"{len(asked)} configurations, {refused} refusals")
    return 1 if refused or not asked else 0

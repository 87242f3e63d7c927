"""zonelinkctl simulate: the JSON, its order, and that it survives what validate takes."""

import itertools
import json
import random

from ctl import MESH, Case, dataplane, main, route

OUT = "{port: 10001, tags: {kuma.io/service: backend}}"
WEST = (
    "type: ZoneIngress\nname: in-west\nzone: west\n"
    "networking: {address: 10.0.0.1, port: 10001, advertisedAddress: 10.20.0.1, "
    "advertisedPort: 10001}\n"
    "availableServices: [{mesh: default, instances: 3, tags: {kuma.io/service: other, "
    "kuma.io/zone: west, kuma.io/protocol: tcp}}]\n"
)
SCENE = [
    MESH,
    dataplane("web-01", outbound=OUT),
    dataplane("backend-01", address="10.0.0.2", service="backend"),
    WEST,
    route("r", weight=7),
]


class Simulate(Case):
    def scene(self, docs=None):
        return self.file("scene.yaml", "---\n".join(docs or SCENE))

    def test_the_json_of_the_contract(self):
        answer = self.ctl_json(0, "simulate", "-f", self.scene(), "--zone", "east")
        self.assertEqual(list(answer), ["zone", "mesh", "proxies", "warnings"])
        self.assertEqual((answer["zone"], answer["mesh"]), ("east", "default"))
        self.assertEqual([p["name"] for p in answer["proxies"]], ["backend-01", "web-01"])
        (outbound,) = answer["proxies"][1]["outbounds"]
        self.assertEqual(
            outbound,
            {
                "address": "127.0.0.1",
                "port": 10001,
                "destination": {
                    "kind": "MeshService",
                    "name": "backend",
                    "port": None,
                    "protocol": outbound["destination"]["protocol"],
                },
                "owner": "MeshTCPRoute",
                "policies": [
                    {"kind": "MeshTCPRoute", "name": "r", "origin": "global", "to": 0}
                ],
                "unresolved": "Blackhole",
                "backends": [
                    {
                        "kind": "MeshService",
                        "name": "other",
                        "weight": 7,
                        "resolved": True,
                        "cluster": outbound["backends"][0]["cluster"],
                        "endpoints": [
                            {
                                "zone": "west",
                                "address": "10.20.0.1",
                                "port": 10001,
                                "weight": 3,
                                "priority": outbound["backends"][0]["endpoints"][0][
                                    "priority"
                                ],
                                "via": "ingress",
                            }
                        ],
                    }
                ],
            },
        )

    def test_order_of_documents_and_files_is_nothing(self):
        seen = set()
        for output in ("json", "table"):
            seen = set()
            for docs in itertools.islice(itertools.permutations(SCENE), 0, 120, 13):
                paths = []
                for i, doc in enumerate(docs):
                    paths += ["-f", self.file(f"{i}.yaml", doc)]
                out = self.ctl(0, "simulate", *paths, "--zone", "east", "-o", output)
                seen.add(out)
            self.assertEqual(len(seen), 1)

    def test_one_proxy(self):
        scene = self.scene()
        base = ["simulate", "-f", scene, "--zone", "east"]
        answer = self.ctl_json(0, *base, "--proxy", "web-01")
        self.assertEqual([p["name"] for p in answer["proxies"]], ["web-01"])
        for more in ([], ["-o", "json"], ["-o", "envoy"]):
            code, out, err = self.run_ctl(*base, "--proxy", "nope", *more)
            self.assertEqual((code, out), (4, ""))
            self.assertIn("nope", err)
        code, out, err = self.run_ctl(*base, "--mesh", "other", "--proxy", "web-01")
        self.assertEqual((code, out), (4, ""))
        self.assertEqual(self.ctl_json(0, *base, "--mesh", "other")["proxies"], [])
        self.assertIn("backend", self.ctl(0, *base, "--proxy", "web-01"))

    def test_envoy(self):
        base = ["simulate", "-f", self.scene(), "--zone", "east", "-o", "envoy"]
        answer = json.loads(self.ctl(0, *base, "--proxy", "web-01"))
        self.assertTrue({"listeners", "clusters", "endpoints", "extensions"} <= set(answer))
        self.assertTrue(answer["listeners"])
        self.assertEqual(
            self.ctl(0, *base, "--proxy", "web-01"), self.ctl(0, *base, "--proxy", "web-01")
        )
        code, _, err = self.run_ctl(*base)
        self.assertEqual(code, 2)
        self.assertIn("--proxy", err)
        ingress = SCENE + [
            "{type: ZoneIngress, name: in-east, networking: {address: 10.0.0.9, port: 1}}\n"
        ]
        base[2] = self.scene(ingress)
        answer = json.loads(self.ctl(0, *base, "--proxy", "in-east"))
        self.assertEqual(answer["listeners"], [])  # no server names to route by
        self.ctl(4, *base, "--proxy", "in-west")  # of another zone
        # no proxy at all
        base[2] = self.scene([MESH])
        self.ctl(4, *base)

    def test_refuses_what_validate_refuses(self):
        for code, text in (
            (3, "{type: Mesh, name: UPPER}\n"),
            (3, MESH + "---\n" + MESH),
            (10, "a: [\n"),
            (10, ""),
            (10, "{type: Mesh, name: UPPER}\n---\na: [\n"),
        ):
            path = self.file("f.yaml", text)
            self.ctl(code, "validate", "-f", path)
            for output in ("json", "envoy", "table"):
                out = self.ctl(
                    code, "simulate", "-f", path, "--zone", "east", "-o", output
                )
                if code == 3:
                    self.assertIn(path, out)
        self.ctl(0, "simulate", "-f", self.file("f.yaml", route("r", 0)), "--zone", "east")
        self.ctl(10, "simulate", "-f", "nope", "--zone", "east")

    def test_what_is_the_zones_own(self):
        own = dataplane("a", more="labels: {kuma.io/origin: zone, kuma.io/zone: east}\n")
        theirs = dataplane("b", more="labels: {kuma.io/zone: west}\n")
        half = dataplane("c", more="labels: {kuma.io/origin: zone}\n")
        path = self.scene([own, theirs, half, dataplane("d")])
        answer = self.ctl_json(0, "simulate", "-f", path, "--zone", "east")
        self.assertEqual([p["name"] for p in answer["proxies"]], ["a", "c", "d"])
        # the same Dataplane twice, once without labels: which one would count?
        path = self.scene([own, dataplane("a", address="10.0.0.9")])
        out = self.ctl(3, "simulate", "-f", path, "--zone", "east")
        self.assertIn("already defined in document 1", out)

    def test_unresolved_and_weight_zero(self):
        docs = [MESH, dataplane("web-01", outbound=OUT), route("r", weight=0)]
        answer = self.ctl_json(0, "simulate", "-f", self.scene(docs), "--zone", "east")
        (backend,) = answer["proxies"][0]["outbounds"][0]["backends"]
        self.assertEqual(backend["weight"], 0)
        self.assertNotIn("cluster", backend)
        docs[2] = route("r", weight=5)
        answer = self.ctl_json(0, "simulate", "-f", self.scene(docs), "--zone", "east")
        (backend,) = answer["proxies"][0]["outbounds"][0]["backends"]
        self.assertFalse(backend["resolved"])
        self.assertIn("reason", backend)
        self.assertNotIn("cluster", backend)
        self.assertNotIn("endpoints", backend)

    def test_never_crashes_on_what_is_valid(self):
        dice = random.Random(7)
        taken = 0
        for turn in range(60):
            path = self.scene([document(dice, n) for n in range(dice.randint(1, 12))])
            code, _, _ = self.run_ctl("validate", "-f", path)
            self.assertIn(code, (0, 3))
            taken += code == 0
            zone = dice.choice(["east", "west", "nowhere"])
            for output in ("json", "table", "envoy"):
                args = ["simulate", "-f", path, "--zone", zone, "-o", output]
                if output == "envoy":
                    args += ["--proxy", dice.choice(NAMES)]
                got, out, err = self.run_ctl(*args)
                with self.subTest(turn=turn):
                    if code == 3:
                        self.assertEqual(got, 3, err)
                    elif output == "envoy":
                        self.assertIn(got, (0, 2, 3, 4), err)
                    else:
                        self.assertIn(got, (0, 3), err)  # 3: one identity in this zone
                    if got == 0 and output != "table":
                        json.loads(out)
        self.assertGreater(taken, 10)


NAMES = ["a", "b", "web", "backend", "x.y", "n-1"]
SERVICES = ["web", "backend", "db_x", "a.b", "UP", "backend_default_svc_80"]
KINDS = ["Mesh", "MeshSubset", "MeshService", "MeshServiceSubset", "Dataplane"]


def tags(dice, service=True):
    out = {"kuma.io/service": dice.choice(SERVICES)} if service else {}
    for key, values in (
        ("version", ["v1", "v2", ""]),
        ("kuma.io/zone", ["east", "west"]),
        ("kuma.io/protocol", ["tcp", "http", "grpc", "kafka", "what"]),
    ):
        if dice.random() < 0.3:
            out[key] = dice.choice(values)
    return out


def ref(dice, top):
    kind = dice.choice(KINDS if top else ["MeshService", "MeshServiceSubset"])
    out = {"kind": kind}
    if kind in ("MeshService", "MeshServiceSubset") or (
        kind == "Dataplane" and dice.random() < 0.5
    ):
        out["name"] = dice.choice(SERVICES if kind != "Dataplane" else NAMES)
    if kind in ("MeshSubset", "MeshServiceSubset") and dice.random() < 0.8:
        out["tags"] = tags(dice, service=False) or {"version": "v1"}
    if kind == "Dataplane" and "name" not in out and dice.random() < 0.7:
        out["labels"] = {"k": dice.choice(["v", "w"])}
    return out


def rules(dice):
    if dice.random() < 0.2:
        return []
    refs = []
    for _ in range(dice.randint(0, 4)):
        backend = ref(dice, top=False)
        if dice.random() < 0.7:
            backend["weight"] = dice.choice([0, 1, 10, 90, 4294967295])
        if dice.random() < 0.1:
            backend["port"] = dice.choice([1, 80, 65535])
        refs.append(backend)
    return [{"default": {"backendRefs": refs} if refs or dice.random() < 0.5 else {}}]


def a_route(dice, name):
    spec = {"targetRef": ref(dice, top=True)} if dice.random() < 0.9 else {}
    if dice.random() < 0.9:
        spec["to"] = [
            {"targetRef": ref(dice, top=False), "rules": rules(dice)}
            for _ in range(dice.randint(1, 3))
        ]
    return {"type": "MeshTCPRoute", "name": name, "spec": spec}


def a_dataplane(dice, name):
    net = {"address": f"10.0.0.{dice.randint(1, 9)}"}
    net["inbound"] = [
        {"port": dice.randint(1, 65535), "tags": tags(dice)}
        for _ in range(dice.randint(0, 3))
    ]
    for inbound in net["inbound"]:
        if dice.random() < 0.3:
            inbound["state"] = dice.choice(["Ready", "NotReady", "Ignored"])
        if dice.random() < 0.3:
            inbound["servicePort"] = dice.randint(1, 65535)
    if dice.random() < 0.2:
        net["inbound"] = []
        net["gateway"] = {"type": "DELEGATED", "tags": tags(dice)}
    net["outbound"] = [
        {"port": 10000 + i, "tags": {"kuma.io/service": dice.choice(SERVICES)}}
        for i in range(dice.randint(0, 4))
    ]
    if dice.random() < 0.2:
        net["outbound"].append(
            {"port": 20000, "backendRef": {"kind": "MeshService", "name": "web", "port": 80}}
        )
    return {"type": "Dataplane", "name": name, "networking": net}


def an_ingress(dice, name):
    out = {"type": "ZoneIngress", "name": name}
    out["networking"] = {"address": "10.0.1.1", "port": 10001}
    if dice.random() < 0.7:
        out["networking"] |= {"advertisedAddress": "10.0.2.1", "advertisedPort": 10001}
    if dice.random() < 0.7:
        out["zone"] = dice.choice(["east", "west", "south"])
    out["availableServices"] = [
        {"mesh": "default", "instances": dice.choice([0, 1, 3, 4294967295]), "tags": tags(dice)}
        for _ in range(dice.randint(0, 4))
    ]
    return out


def document(dice, n):
    make = dice.choice([a_route, a_route, a_dataplane, a_dataplane, an_ingress, None])
    name = dice.choice(NAMES) if dice.random() < 0.5 else f"{dice.choice(NAMES)}-{n}"
    if make is None:
        doc = dice.choice(
            [
                {"type": "Mesh", "name": "default"},
                {"type": "Mesh", "name": "default", "routing": {"unresolvedBackends": "Renormalise"}},
                {"type": "Mesh", "name": "default", "routing": {"localityAwareLoadBalancing": True}},
                {"type": "Zone", "name": "west", "enabled": False},
                {"type": "Mesh", "name": "other"},
            ]
        )
    else:
        doc = make(dice, name)
    if dice.random() < 0.2 and doc["type"] in ("Dataplane", "MeshTCPRoute"):
        doc["labels"] = dice.choice(
            [
                {"k": "v"},
                {"kuma.io/origin": "zone", "kuma.io/zone": "east"},
                {"kuma.io/origin": "zone"},
                {"kuma.io/zone": "west"},
                {"k8s.kuma.io/namespace": "ns"},
            ]
        )
    if dice.random() < 0.1 and doc["type"] in ("Dataplane", "MeshTCPRoute"):
        doc["mesh"] = "other"
    return json.dumps(doc) + "\n"


main()

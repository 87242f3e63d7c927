"""zonelinkctl schema: fields, kinds, paths that do not exist."""

from ctl import Case, main

WEIGHT = "meshtcproute.spec.to.rules.default.backendRefs.weight"


class Schema(Case):
    def test_a_field(self):
        out = self.ctl(0, "schema", WEIGHT)
        self.assertEqual(out.splitlines()[0], WEIGHT)
        facts = dict(line.split(None, 1) for line in out.splitlines()[3:])
        self.assertEqual(
            facts,
            {
                "type": "number",
                "required": "no",
                "default": "1",
                "range": "0 to 4294967295",
                "example": "90",
            },
        )
        answer = self.ctl_json(0, "schema", WEIGHT)
        self.assertIn("Share", answer.pop("doc"))
        self.assertEqual(
            answer,
            {
                "path": WEIGHT,
                "type": "number",
                "required": False,
                "default": "1",
                "min": 0,
                "max": 4294967295,
                "example": "90",
            },
        )

    def test_values(self):
        path = "mesh.routing.unresolvedBackends"
        self.assertEqual(
            self.ctl_json(0, "schema", path)["values"], ["Blackhole", "Renormalise"]
        )
        self.assertIn("Blackhole, Renormalise", self.ctl(0, "schema", path))
        self.assertEqual(
            self.ctl_json(0, "schema", "dataplane.networking.gateway.type")["values"],
            ["DELEGATED", "BUILTIN"],
        )
        self.assertTrue(self.ctl_json(0, "schema", "dp.networking.inbound.port")["required"])

    def test_spellings_of_a_path(self):
        want = self.ctl_json(0, "schema", WEIGHT)["doc"]
        for path in (
            "mtcpr.to.rules.default.backendRefs.weight",
            "MeshTCPRoute.to.rules.default.backendRefs.weight",
            "meshtcproutes.spec.to[0].rules[0].default.backendRefs[12].weight",
        ):
            self.assertEqual(self.ctl_json(0, "schema", path)["doc"], want)

    def test_an_object(self):
        for path in ("meshtcproute", "meshtcproute.spec", "mtcpr"):
            out = self.ctl(0, "schema", path)
            self.assertEqual([line.split()[0] for line in out.splitlines()],
                             ["FIELD", "targetRef", "to"])
        out = self.ctl(0, "schema", "--no-headers", "zone")
        self.assertEqual(len(out.splitlines()), 1)
        answer = self.ctl_json(0, "schema", "meshtcproute.spec.to")
        self.assertEqual(answer["type"], "list of objects")
        self.assertEqual(answer["max"], 1024)
        names = [field["path"].split(".")[-1] for field in answer["fields"]]
        self.assertEqual(names, ["targetRef", "rules"])  # what is hidden is hidden
        self.assertNotIn("fields", answer["fields"][1])

    def test_recursive(self):
        out = self.ctl(0, "schema", "meshtcproute", "--recursive")
        self.assertIn("to.rules.default.backendRefs.weight", out)
        answer = self.ctl_json(0, "schema", "meshtcproute", "--recursive")
        paths = []

        def walk(fields):
            for field in fields:
                paths.append(field["path"])
                walk(field.get("fields", []))

        walk(answer["fields"])
        self.assertIn("meshtcproute.to.rules.default.backendRefs.weight", paths)
        for path in paths:  # each can be asked for
            self.ctl(0, "schema", path)
        self.assertNotIn("weight", self.ctl(0, "schema", "meshtcproute"))

    def test_the_kinds(self):
        out = self.ctl(0, "schema")
        answer = self.ctl_json(0, "schema")["kinds"]
        self.assertEqual([line.split()[0] for line in out.splitlines()[1:]],
                         [kind["kind"] for kind in answer])
        self.assertIn(
            {"kind": "MeshTCPRoute", "plural": "meshtcproutes", "short": "mtcpr",
             "inMesh": True, "writtenAt": "both"},
            answer,
        )
        for kind in answer:
            self.ctl(0, "schema", kind["kind"], "--recursive")

    def test_what_is_not_there(self):
        cases = {
            "meshtcproute.spec.to.rules.default.backendRef.weight":
                "did you mean meshtcproute.spec.to.rules.default.backendRefs.weight?",
            "meshtcproute.too": "did you mean meshtcproute.to?",
            "meshtcprout.spec.to": "did you mean MeshTCPRoute.spec.to?",
            "meshtcproute.spec.zzzzz": "zonelinkctl schema meshtcproute.spec lists",
            "mesh.mtls.enabledBackend.x": "mesh.mtls.enabledBackend is a text",
            "mesh.": "mesh.: no such field",
            "mesh..": "mesh..: no such field",
            "mesh..mtls": "no such field",
            ".": 'no kind ""',
            "zzzzzz": "zonelinkctl schema lists the kinds",
            "[0]": 'no kind ""',
            "mesh." + "x" * 300: "no such field",
            "x" * 300 + ".y": "no kind",
        }
        for path, text in cases.items():
            with self.subTest(path=path):
                code, out, err = self.run_ctl("schema", path)
                self.assertEqual((code, out), (4, ""))
                self.assertIn(text, err)
        self.assertEqual(self.run_ctl("schema", "a", "b")[0], 2)
        self.assertEqual(self.run_ctl("schema", "-f", "a")[0], 2)


main()

"""zonelinkctl validate: exit codes, findings and their order."""

from ctl import MESH, Case, dataplane, main, route

BAD_NAME = "{type: Mesh, name: UPPER}\n"
BAD_FIELD = "{type: Mesh, name: a, rooting: {}}\n"


class Validate(Case):
    def test_exit_codes(self):
        deep = "a: " + "[" * 40 + "]" * 40 + "\n"
        cases = [
            (0, MESH),
            (0, "---\n---\n" + MESH + "---\n# nothing\n"),
            (0, '{"type": "Mesh", "name": "default"}'),
            (3, BAD_NAME),
            (3, BAD_FIELD),
            (3, "just text\n"),
            (3, "- type: Mesh\n  name: a\n"),
            (3, "{type: Nope, name: a}\n"),
            (3, "{name: a}\n"),
            (3, "{type: Mesh, name: 1}\n"),
            (3, MESH + "---\n" + MESH),
            (10, ""),
            (10, "---\n---\n"),
            (10, "# nothing\n"),
            (10, "a: [\n"),
            (10, "a: 1\na: 2\n"),
            (10, "a: &x 1\n"),
            (10, "a: *x\n"),
            (10, "a: !t 1\n"),
            (10, b"a: \xff\n"),
            (10, b"a: \x00\n"),
            (10, deep),
            (10, "a: '" + "x" * (1 << 20) + "'\n"),
            (10, "---\na: 1\n" * 10001),
            (10, BAD_NAME + "---\na: [\n"),  # both
            (10, "a: [\n---\n" + BAD_NAME),
        ]
        for code, text in cases:
            with self.subTest(text=text[:60]):
                path = self.file("f.yaml", text)
                answer = self.ctl_json(code, "validate", "-f", path)
                self.assertEqual(answer["valid"], code == 0)
                self.assertEqual(set(answer), {"valid", "violations", "warnings"})
                self.ctl(code, "validate", "-f", path)
                self.ctl(code, "validate", "-f", "-", stdin=text)
                self.ctl(code, "validate", "-q", "-f", path)

    def test_findings_have_all_members(self):
        path = self.file("f.yaml", "---\n" + MESH + "---\n" + BAD_FIELD)
        answer = self.ctl_json(3, "validate", "-f", path)
        self.assertEqual(
            answer,
            {
                "valid": False,
                "violations": [
                    {
                        "file": path,
                        "document": 2,
                        "kind": "Mesh",
                        "name": "a",
                        "field": "rooting",
                        "reason": 'unknown field, did you mean "routing"?',
                    }
                ],
                "warnings": [],
            },
        )
        out = self.ctl(3, "validate", "-f", path)
        self.assertIn(f"{path}:4:23: document 2: Mesh a: rooting: unknown field", out)

    def test_warnings_are_no_violation(self):
        path = self.file("f.yaml", route("r", weight=0))
        answer = self.ctl_json(0, "validate", "-f", path)
        self.assertTrue(answer["valid"])
        self.assertEqual(answer["violations"], [])
        (warning,) = answer["warnings"]
        self.assertEqual(
            set(warning), {"file", "document", "kind", "name", "field", "reason"}
        )
        self.assertEqual(
            warning["field"], "spec.to[0].rules[0].default.backendRefs"
        )
        self.assertIn("warning: MeshTCPRoute r", self.ctl(0, "validate", "-f", path))
        self.assertEqual(self.ctl(0, "validate", "-q", "-f", path), "")

    def test_syntax_is_told_with_its_place(self):
        path = self.file("f.yaml", "type: Mesh\nname: [\n")
        code, out, err = self.run_ctl("validate", "-f", path)
        self.assertEqual(code, 10)
        self.assertRegex(err, r"^zonelinkctl: \S+f\.yaml:\d+:\d+: ")
        self.assertIn("not valid", out)

    def test_sorted_by_file_and_document(self):
        self.file("d/b.yaml", BAD_NAME + "---\n" + BAD_FIELD)
        self.file("d/a.yml", MESH + "---\n" + BAD_NAME)
        self.file("d/c.json", '{"type": "Nope"}')
        self.file("d/.hidden.yaml", "{")
        self.file("d/notes.txt", "{")
        self.file("d/sub/x.yaml", "{")
        answer = self.ctl_json(3, "validate", "-f", "d/c.json", "-f", "d")
        places = [(v["file"], v["document"]) for v in answer["violations"]]
        self.assertEqual(places, sorted(places))
        self.assertEqual(
            set(places),
            {("d/a.yml", 2), ("d/b.yaml", 1), ("d/b.yaml", 2), ("d/c.json", 1)},
        )

    def test_doubles(self):
        one = route("r")
        path = self.file("f.yaml", one + "---\n" + MESH + "---\n" + one + "---\n" + one)
        answer = self.ctl_json(3, "validate", "-f", path)
        self.assertEqual(
            [(v["document"], v["field"], v["reason"]) for v in answer["violations"]],
            [
                (3, "name", "already defined in document 1"),
                (4, "name", "already defined in document 1"),
            ],
        )
        self.assertEqual(answer["violations"][0]["kind"], "MeshTCPRoute")
        self.assertEqual(answer["violations"][0]["name"], "r")
        # not one identity: another mesh, another kind, another zone
        other = route("r", more="mesh: other\n")
        self.ctl(0, "validate", "-f", self.file("g.yaml", one + "---\n" + other))
        of_zone = route("r", more="labels: {kuma.io/origin: zone, kuma.io/zone: a}\n")
        self.ctl(0, "validate", "-f", self.file("g.yaml", one + "---\n" + of_zone))
        # over files
        self.file("d/1.yaml", one)
        self.file("d/2.yaml", MESH + "---\n" + one)
        (violation,) = self.ctl_json(3, "validate", "-f", "d")["violations"]
        self.assertEqual((violation["file"], violation["document"]), ("d/2.yaml", 2))
        self.assertTrue(
            violation["reason"].startswith("already defined in document 1")
        )

    def test_files_that_cannot_be_read(self):
        good = self.file("good.yaml", MESH)
        self.file("empty/notes.txt", "")
        for path in ("nope.yaml", "empty", "/dev/null"):
            with self.subTest(path=path):
                code, _, err = self.run_ctl("validate", "-f", path)
                self.assertEqual(code, 10)
                self.assertIn(path, err)
        code, _, err = self.run_ctl("validate", "-f", good, "-f", "nope.yaml")
        self.assertEqual(code, 10)
        self.assertIn("nope.yaml", err)
        big = self.file("big.yaml", "a: 1\n---\n" * (3 << 20))
        code, _, err = self.run_ctl("validate", "-f", big)
        self.assertEqual(code, 10)

    def test_yaml_output(self):
        path = self.file("f.yaml", BAD_FIELD)
        out = self.ctl(3, "validate", "-f", path, "-o", "yaml")
        self.assertTrue(out.startswith("valid: false\n"), out)

    def test_all_kinds(self):
        text = "---\n".join(
            [
                MESH,
                "{type: Zone, name: west}\n",
                dataplane("a", outbound="{port: 1, tags: {kuma.io/service: b}}"),
                "{type: ZoneIngress, name: in, networking: {address: 10.0.0.1, port: 1}}\n",
                "{type: ZoneEgress, name: out, networking: {address: 10.0.0.1, port: 1}}\n",
                route("r"),
                "{type: MeshLoadBalancingStrategy, name: b, spec: {to: [{targetRef: {kind: Mesh}, "
                "default: {localityAwareness: {disabled: true}}}]}}\n",
                "apiVersion: kuma.io/v1alpha1\nkind: Mesh\nmetadata: {name: k}\n",
            ]
        )
        self.ctl(0, "validate", "-f", self.file("f.yaml", text))


main()

"""zonelinkctl analyze: what is printed, where it points, and the exit codes."""

import re

from ctl import MESH, Case, dataplane, main, route

OUT = "{port: 10001, tags: {kuma.io/service: backend}}"
# web calls backend; other is offered too; mTLS plays no part in one zone
QUIET = "---\n".join(
    [
        MESH,
        dataplane("web-01", outbound=OUT),
        dataplane("b-01", address="10.0.0.2", service="backend"),
        dataplane("o-01", address="10.0.0.3", service="other"),
    ]
)
TYPO = route("r").replace("name: other", "name: othr")


class Analyze(Case):
    def codes(self, code, *args, **more):
        answer = self.ctl_json(code, "analyze", *args, **more)
        return [finding["code"] for finding in answer["findings"]]

    def test_nothing_odd(self):
        path = self.file("f.yaml", QUIET + "---\n" + route("r"))
        answer = self.ctl_json(0, "analyze", "-f", path)
        self.assertEqual(
            answer,
            {"findings": [], "errors": 0, "warnings": 0, "infos": 0, "servicesKnown": True},
        )
        out = self.ctl(0, "analyze", "-f", path)
        self.assertEqual(out, "5 documents: 0 errors, 0 warnings, 0 for information\n")
        self.assertEqual(self.ctl(0, "analyze", "-q", "-f", path), "")

    def test_a_finding(self):
        path = self.file("f.yaml", QUIET + "---\n" + TYPO)
        answer = self.ctl_json(1, "analyze", "-f", path)
        (finding,) = answer["findings"]
        why = finding.pop("why")
        fix = finding.pop("fix")
        self.assertEqual(
            finding,
            {
                "code": "ZL014",
                "severity": "error",
                "file": path,
                "document": 5,
                "kind": "MeshTCPRoute",
                "name": "r",
                "field": "spec.to[0].rules[0].default.backendRefs[0].name",
                "what": 'nobody offers service "othr" in mesh "default" '
                '(did you mean "other"?)',
            },
        )
        self.assertIn("closed", why)
        self.assertIn('"othr"', fix)
        self.assertEqual(answer["errors"], 1)
        out = self.ctl(1, "analyze", "-f", path)
        text = (QUIET + "---\n" + TYPO).splitlines()
        line, column = map(int, re.match(r"\S+?:(\d+):(\d+): ", out).groups())
        self.assertTrue(text[line - 1][column - 1 :].startswith("othr"), out)
        self.assertIn(
            ": document 5: error[ZL014] MeshTCPRoute r: "
            "spec.to[0].rules[0].default.backendRefs[0].name: nobody offers",
            out,
        )
        self.assertIn("\n    why: " + why + "\n    fix: " + fix + "\n", out)
        self.assertTrue(out.endswith("5 documents: 1 error, 0 warnings, 0 for information\n"))

    def test_thresholds(self):
        info = route("r", weight=0).replace(
            "        - {", "        - {kind: MeshService, name: backend, weight: 100}\n        - {"
        )
        warning = TYPO.replace("name: backend", "name: bakend").replace("othr", "other")
        for text, codes in (
            (info, {"error": 0, "warning": 0, "info": 1, None: 0}),
            (warning, {"error": 0, "warning": 1, "info": 1, None: 1}),
            (TYPO, {"error": 1, "warning": 1, "info": 1, None: 1}),
            ("", {"error": 0, "warning": 0, "info": 0, None: 0}),
        ):
            path = self.file("f.yaml", QUIET + "---\n" + text)
            for threshold, code in codes.items():
                with self.subTest(text=text, threshold=threshold):
                    args = ["analyze", "-f", path]
                    if threshold:
                        args.append(f"--failure-threshold={threshold}")
                    self.ctl(code, *args)
                    self.ctl_json(code, *args)
                    quiet = self.ctl(code, "-q", *args)
                    self.assertEqual(quiet != "", code == 1)
        self.ctl(2, "analyze", "-f", path, "--failure-threshold", "fatal")

    def test_refuses_what_validate_refuses(self):
        for code, text in (
            (3, "{type: Mesh, name: UPPER}\n"),
            (3, MESH + "---\n" + MESH),
            (10, "a: [\n"),
            (10, ""),
        ):
            path = self.file("f.yaml", text)
            self.ctl(code, "validate", "-f", path)
            out = self.ctl(code, "analyze", "-f", path)
            if code == 3:
                self.assertIn(path, out)
            self.assertFalse(self.ctl_json(code, "analyze", "-f", path)["valid"])
        self.ctl(2, "analyze")
        self.ctl(10, "analyze", "-f", "nope.yaml")

    def test_fields_are_those_that_were_written(self):
        ingress = "networking: {address: 10.0.0.1, port: 1}"
        for field, text in (
            ("networking", "{type: ZoneIngress, name: i, %s}\n" % ingress),
            ("spec.networking", "{type: ZoneIngress, name: i, spec: {%s}}\n" % ingress),
            (
                "spec.networking",
                "{apiVersion: kuma.io/v1alpha1, kind: ZoneIngress, metadata: {name: i}, "
                "spec: {%s}}\n" % ingress,
            ),
            (
                'metadata.labels["kuma.io/effect"]',
                "{apiVersion: kuma.io/v1alpha1, kind: MeshTCPRoute, metadata: {name: i, "
                "labels: {kuma.io/effect: shadow}}, spec: {targetRef: {kind: Mesh}}}\n",
            ),
        ):
            path = self.file("f.yaml", text)
            answer = self.ctl_json(0, "analyze", "-f", path, "--failure-threshold=error")
            (finding,) = answer["findings"]
            self.assertEqual(finding["field"], field)
            # the place is that of the value, wherever it stands
            out = self.ctl(0, "analyze", "-f", path, "--failure-threshold=error")
            self.assertRegex(out, r"^\S+:1:\d+: ")
            column = int(out.split(":")[2])
            want = "shadow" if "effect" in field else "{address"
            self.assertTrue(text[column - 1 :].startswith(want), out)

    def test_sorted_by_file_and_document(self):
        self.file("d/b.yaml", TYPO.replace("name: r", "name: a"))
        self.file("d/a.yaml", QUIET + "---\n" + TYPO + "---\n" + TYPO.replace("name: r", "name: z"))
        answer = self.ctl_json(1, "analyze", "-f", "d/b.yaml", "-f", "d/a.yaml")
        places = [(f["file"], f["document"]) for f in answer["findings"]]
        self.assertEqual(places, sorted(places))
        self.assertIn(("d/b.yaml", 1), places)

    def test_the_zone(self):
        west = (
            "type: ZoneIngress\nname: w\nzone: west\nnetworking: {address: 10.0.0.9, "
            "port: 1, advertisedAddress: 10.2.0.1, advertisedPort: 1}\n"
            "availableServices: [{instances: 1, tags: {kuma.io/service: far}}]\n"
        )
        of = route("r").replace("targetRef: {kind: Mesh}",
                                "targetRef: {kind: Dataplane, labels: {kuma.io/zone: east}}")
        path = self.file("f.yaml", QUIET + "---\n" + west + "---\n" + of)
        self.assertEqual(self.codes(0, "-f", path), [])
        self.assertEqual(self.codes(0, "-f", path, "--zone", "east"), [])
        self.assertEqual(self.codes(1, "-f", path, "--zone", "south"), ["ZL030"])

    def test_without_dataplanes(self):
        path = self.file("f.yaml", TYPO)
        self.assertFalse(self.ctl_json(0, "analyze", "-f", path)["servicesKnown"])
        self.assertIn("was not looked at", self.ctl(0, "analyze", "-f", path))

    def test_the_page_has_every_code_that_is_told(self):
        page = self.ctl(0, "analyze", "--markdown")
        codes = re.findall(r"^## (ZL\d{3})$", page, re.M)
        self.assertEqual(codes, sorted(set(codes)))
        self.assertGreaterEqual(len(codes), 20)
        self.assertNotIn("{}", page)
        for code in codes:
            self.assertIn(f"[{code}](#{code.lower()})", page)


main()

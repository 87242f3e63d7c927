"""zonelinkctl convert: what it writes, what it says, and that apply would take it."""

import json

from ctl import MESH, Case, dataplane, main

OUT = "{port: 10001, tags: {kuma.io/service: backend}}"


def traffic(name, destination="backend", target="other", more=""):
    return (
        f"{{type: TrafficRoute, name: {name}, sources: [{{match: {{kuma.io/service: '*'}}}}], "
        f"destinations: [{{match: {{kuma.io/service: {destination}}}}}], "
        f"conf: {{destination: {{kuma.io/service: {target}}}{more}}}}}\n"
    )


ENDS = (
    "sources: [{match: {kuma.io/service: '*'}}], "
    "destinations: [{match: {kuma.io/service: backend}}]"
)
TIMEOUT = f"{{type: Timeout, name: slow, {ENDS}, conf: {{connectTimeout: 5s}}}}\n"
LOG = f"{{type: TrafficLog, name: log, {ENDS}, conf: {{backend: nowhere}}}}\n"


class Convert(Case):
    def documents(self, *routes):
        docs = [MESH, dataplane("web-01", outbound=OUT), *routes]
        return self.file("docs.yaml", "---\n".join(docs))

    def test_what_it_writes_is_valid_and_leads_alike(self):
        path = self.documents(traffic("old"), dataplane("o", "10.0.0.2", "other"))
        code, out, err = self.run_ctl("convert", "-f", path)
        self.assertEqual((code, err), (0, "1 MeshTCPRoutes, 0 not converted\n"))
        self.assertIn("name: traffic-backend-0-old\n", out)
        written = self.file("written.yaml", out)
        self.ctl(0, "validate", "-q", "-f", written)
        after = self.documents(dataplane("o", "10.0.0.2", "other"), out)
        (_, proxy) = self.ctl_json(0, "simulate", "-f", after, "--zone", "e")["proxies"]
        self.assertEqual(
            [b["name"] for b in proxy["outbounds"][0]["backends"]], ["other"]
        )

    def test_nothing_to_convert(self):
        self.assertEqual(
            self.run_ctl("convert", "-f", self.documents()),
            (0, "", "0 MeshTCPRoutes, 0 not converted\n"),
        )

    def test_what_stays_is_said_and_counts(self):
        path = self.documents(traffic("old", destination="Backend"), traffic("new"))
        code, out, err = self.run_ctl("convert", "-f", path)
        self.assertEqual(code, 1)
        self.assertIn('not converted: mesh "default": TrafficRoute "old": service', err)
        self.assertIn("name: traffic-backend-0-new\n", out)
        code, _, quiet = self.run_ctl("convert", "-q", "-f", path)
        self.assertEqual((code, quiet.count("\n")), (1, 1))
        answer = json.loads(self.run_ctl("convert", "-o", "json", "-f", path)[1])
        self.assertEqual([r["name"] for r in answer["routes"]], ["traffic-backend-0-new"])
        self.assertEqual(
            [(n["trafficRoute"], n["service"], n["converted"]) for n in answer["notes"]],
            [("old", "Backend", False)],
        )

    def test_policies_are_written_after_routes(self):
        path = self.documents(traffic("old"), TIMEOUT, dataplane("o", "10.0.0.2", "other"))
        code, out, err = self.run_ctl("convert", "-f", path)
        self.assertEqual(code, 0)
        self.assertEqual(
            err, "1 MeshTCPRoutes, 0 not converted\n1 policies, 0 not converted\n"
        )
        self.assertIn('---\n# From Timeout "slow", which was for routes of Traffic', out)
        self.assertIn("connectionTimeout: 5s", out)
        self.ctl(0, "validate", "-q", "-f", self.file("written.yaml", out))
        answer = json.loads(self.run_ctl("convert", "-o", "json", "-f", path)[1])
        self.assertEqual([p["type"] for p in answer["policies"]], ["MeshTimeout"])
        self.assertEqual(answer["policyNotes"], [])

    def test_converted_policies_are_in_effect_as_before(self):
        """Where a TrafficRoute owns the outbound."""

        def applied(*policies):
            path = self.documents(
                traffic("old"), dataplane("o", "10.0.0.2", "other"), *policies
            )
            answer = self.ctl_json(0, "simulate", "-f", path, "--zone", "e")
            (outbound,) = answer["proxies"][-1]["outbounds"]
            places = [outbound, *outbound["backends"]]
            return [
                (place["name"] if "name" in place else "", one["kind"], one["field"], one["value"])
                for place in places
                for one in place.get("applied", [])
            ]

        old = [
            "{type: Timeout, name: t, %s, conf: {connectTimeout: 2s, tcp: {idleTimeout: 9s}}}\n",
            "{type: Retry, name: r, %s, conf: {tcp: {maxConnectAttempts: 3}}}\n",
            "{type: HealthCheck, name: h, %s, conf: {interval: 9s, timeout: 1s, "
            "unhealthyThreshold: 3, healthyThreshold: 2, tcp: {send: Zm9v}}}\n",
            "{type: CircuitBreaker, name: c, %s, conf: {interval: 3s, detectors: {totalErrors: "
            "{consecutive: 7}}, thresholds: {maxConnections: 9}}}\n",
        ]
        old = [policy % ENDS for policy in old]
        path = self.file("old.yaml", "---\n".join([MESH, *old]))
        code, out, err = self.run_ctl("convert", "-f", path)
        self.assertEqual((code, out.count("# From")), (0, 4), err)
        before = applied(*old)
        self.assertIn("idleTimeout", [field for _, _, field, _ in before])
        after = [one for one in applied(out) if not one[2].endswith(".disabled")]
        self.assertEqual(after, before)

    def test_policies_that_stay_are_refused(self):
        path = self.documents(TIMEOUT, LOG)
        code, out, err = self.run_ctl("convert", "-f", path)
        self.assertEqual(code, 3)
        self.assertIn('not converted: mesh "default": TrafficLog "log": no Mesh', err)
        self.assertIn("1 policies, 1 not converted", err)
        self.assertIn("type: MeshTimeout", out)
        (note,) = json.loads(self.run_ctl("convert", "-o", "json", "-f", path)[1])[
            "policyNotes"
        ]
        self.assertEqual(
            (note["kind"], note["name"], note["converted"]), ("TrafficLog", "log", False)
        )

    def test_documents_that_are_not_valid(self):
        path = self.documents(traffic("old", more=", http: [{}]"))
        code, out, _ = self.run_ctl("convert", "-f", path)
        self.assertEqual(code, 3)
        self.assertIn("conf.http: http is not part of Zonelink", out)
        self.assertEqual(self.run_ctl("convert", "-f", self.file("x", "a: ["))[0], 10)
        self.assertEqual(self.run_ctl("convert")[0], 2)


main()

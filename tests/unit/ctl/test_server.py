"""Commands that ask a server, which here answers by a script."""

import json
import os
import socket
import threading

from ctl import MESH, main, route
from scripted import Handler, Served, Tcp

ROUTE = {
    "type": "MeshTCPRoute", "mesh": "default", "name": "r", "revision": 42,
    "labels": {"kuma.io/origin": "global"},
    "spec": {
        "targetRef": {"kind": "Mesh"},
        "to": [{
            "targetRef": {"kind": "MeshService", "name": "backend"},
            "rules": [{"default": {"backendRefs": [
                {"kind": "MeshServiceSubset", "name": "backend",
                 "tags": {"version": "v1"}, "weight": 90},
                {"kind": "MeshService", "name": "other"}]}}],
        }],
    },
}
DATAPLANE = {
    "type": "Dataplane", "name": "web-01", "mesh": "default", "revision": 3,
    "labels": {"kuma.io/zone": "east"},
    "networking": {
        "address": "10.0.0.1",
        "inbound": [{"port": 80, "tags": {"kuma.io/service": "web"}}],
        "outbound": [{"port": 1, "tags": {"kuma.io/service": "b"}}],
    },
}
APPLIED = {
    "revision": 43, "dryRun": False,
    "results": [
        {"type": "MeshTCPRoute", "mesh": "default", "name": "r", "result": "configured",
         "previous": 41, "revision": 43},
        {"type": "Mesh", "name": "default", "result": "unchanged", "previous": 1,
         "revision": 1},
        {"type": "Mesh", "name": "m", "result": "created", "previous": 0, "revision": 43},
    ],
    "warnings": [{"document": 1, "kind": "MeshTCPRoute", "name": "r", "field": "spec.to",
                  "reason": "because"}],
}
ODD = [b"", b"null", b"[]", b'"x"', b"{}", b"<html>", b'{"items": 1}', b'{"items": {"a": 1}}',
       b'{"items": [1, null, [], {"name": 5, "spec": 7, "labels": []}], "next": null}',
       b'{"items": [{"name": "x", "spec": {"to": {"a": 1}, "targetRef": 4}}]}',
       b'{"items": [{"name": "x", "spec": {"to": [{"targetRef": 1, "rules": [{"default": '
       b'{"backendRefs": [{"tags": [1]}, 5, {"tags": {"a": null, "b": {}}}]}}]}]}}]}',
       b'{"items": [{"networking": {"inbound": [1], "outbound": "x"}}]}',
       b'{"items": [{"status": {"vips": [1], "addresses": {"a": 1}, "vip": []}, "spec": '
       b'{"ports": [1, {"port": {}}], "endpoints": [[]], "selector": {"meshService": '
       b'{"matchLabels": [1]}}, "match": 3}}]}',
       b'{"results": {"a": 1}, "warnings": {"b": 2}, "wait": []}',
       b'{"results": [1], "warnings": [2], "wait": {"zones": [1, {"laggards": {"a": 1}}]}}',
       b'{"revision": {}, "version": [], "role": 1, "zone": {}}']


class Server(Served):
    def last(self):
        return self.server.asked[-1]

    def test_status_becomes_exit_code(self):
        for status, code in ((400, 3), (422, 3), (413, 3), (405, 3), (404, 4), (409, 5),
                             (412, 5), (401, 6), (403, 6), (500, 9), (503, 9), (507, 9),
                             (301, 9), (408, 9), (200, 9)):
            self.says("*", status, b"" if status == 200 else
                      {"title": "Title", "detail": "the detail", "invalid_parameters": [
                          {"document": 2, "field": "spec.to", "reason": "is bad"},
                          {"field": "", "reason": "line 1"}]})
            for args in (("get", "mesh", "a"), ("get", "mesh"), ("delete", "mesh", "a"),
                         ("zones",), ("version",), ("explain", "p", "-o", "json")):
                with self.subTest(status=status, args=args):
                    got, out, err = self.run_ctl(*args)
                    self.assertEqual(got, code, err)
                    self.assertTrue(err.startswith("zonelinkctl: "))
                    if status != 200:
                        self.assertIn(f"{status} Title: the detail", err)
                        self.assertIn("  document 2: spec.to: is bad\n", err)
                        self.assertIn("  line 1\n", err)

    def test_unreachable_and_timeout(self):
        self.ctl(7, "get", "mesh", "--server", "unix:" + self.dir + "/none")
        self.ctl(7, "get", "mesh", "--server", "127.0.0.1:1")
        self.ctl(7, "get", "mesh", "--server", "file://" + self.dir)
        silent = os.path.join(self.dir, "silent")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(silent)
            listener.listen(1)
            self.ctl(8, "get", "mesh", "--server", "unix:" + silent, "--timeout", "200ms")

    def test_tcp_and_proxies(self):
        tcp = Tcp(("127.0.0.1", 0), Handler)
        tcp.script, tcp.asked = {"*": (200, {"items": [], "next": None})}, []
        threading.Thread(target=tcp.serve_forever, args=(0.02,), daemon=True).start()
        host = f"127.0.0.1:{tcp.server_address[1]}"
        env = {"http_proxy": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1"}
        for server in (host, f"http://{host}", f"http://{host}/"):
            self.ctl(0, "get", "mesh", "--server", server, env=env)
        self.assertEqual({path for _, path, _, _ in tcp.asked}, {"/meshes?size=1000&offset=0"})
        tcp.shutdown()
        tcp.server_close()

    def test_get(self):
        self.says("GET /meshes/default/meshtcproutes?size=1000&offset=0", 200,
                  {"total": 1, "items": [ROUTE], "next": None})
        self.says("GET /meshes/m%2Fx/meshtcproutes/r%20%3F", 200, ROUTE)
        self.says("GET /meshes/default/dataplanes/web-01", 200, DATAPLANE)
        out = self.ctl(0, "get", "mtcpr")
        self.assertEqual(
            out,
            "NAME  TARGET  TO       BACKENDS                        ORIGIN  ZONE  REV\n"
            "r     Mesh    backend  backend{version=v1}=90 other=1  global  -     42\n")
        self.assertEqual(self.ctl(0, "get", "MeshTCPRoute", "-o", "name"),
                         "meshtcproute/r\n")
        self.assertEqual(self.ctl_json(0, "get", "mtcpr"), [ROUTE])
        self.assertEqual(self.ctl_json(0, "get", "mtcpr", "r ?", "-m", "m/x"), ROUTE)
        self.assertEqual(len(self.ctl(0, "get", "mtcpr", "--no-headers").splitlines()), 1)
        self.assertEqual(
            self.ctl(0, "get", "dataplane", "web-01"),
            "NAME    SERVICES  ADDRESS   OUTBOUNDS  ZONE  REV\n"
            "web-01  web       10.0.0.1  1          east  3\n")
        out = self.ctl(0, "get", "mtcpr", "-o", "yaml")
        self.assertIn("type: MeshTCPRoute\n", out)
        self.assertNotIn("---", out)
        self.ctl(4, "get", "mtcpr", "none")
        self.says("GET /zones/west?zone=a&namespace=b", 200, {"name": "west"})
        self.assertIn("west", self.ctl(0, "get", "zone", "west", "--zone", "a", "-n", "b"))

    def test_tables_of_other_routes_and_gateways(self):
        for kind, plural, document, table in (
                ("mhttpr", "meshhttproutes",
                 {"spec": {"targetRef": {"kind": "Dataplane"}, "to": [
                     {"targetRef": {"kind": "MeshService", "name": "a"}, "rules": [{}, {}]},
                     {"targetRef": {"kind": "MeshService", "name": "b"}}]}},
                 "NAME  TARGET     TO   RULES  ORIGIN  ZONE  REV\n"
                 "x     Dataplane  a b  2      -       -     7\n"),
                ("mlbs", "meshloadbalancingstrategies",
                 {"labels": {"kuma.io/origin": "zone", "kuma.io/zone": "east"}, "spec": {"to": [
                     {"targetRef": {"kind": "MeshService", "name": name},
                      "default": {"localityAwareness": locality}}
                     for name, locality in (("a", {"localZone": {}, "crossZone": {}}),
                                            ("b", {"disabled": True}), ("c", {"crossZone": {}}),
                                            ("d", {"localZone": {}}), ("e", {}))]}},
                 "NAME  TARGET  TO         LOCALITY"
                 "                                       ORIGIN  ZONE  REV\n"
                 "x     Mesh    a b c d e  localZone,crossZone off crossZone localZone -  "
                 "zone    east  7\n"),
                ("traffic-route", "traffic-routes",
                 {"sources": [{"match": {"kuma.io/service": "*", "version": "v1"}}],
                  "destinations": [{"match": {"kuma.io/service": "b"}}],
                  "conf": {"split": [
                      {"weight": 9, "destination": {"kuma.io/service": "b"}},
                      {"weight": 1, "destination": {"kuma.io/service": "b", "v": "2"}}]}},
                 "NAME  SOURCES        DESTINATIONS  BACKENDS      REV\n"
                 "x     *{version=v1}  b             b=9 b{v=2}=1  7\n"),
                ("traffic-routes", "traffic-routes",
                 {"spec": {"conf": {"destination": {"kuma.io/service": "b"}}}},
                 "NAME  SOURCES  DESTINATIONS  BACKENDS  REV\n"
                 "x     -        -             b=1       7\n"),
                ("mgw", "meshgateways",
                 {"selectors": [{"match": {"kuma.io/service": "edge"}}], "conf": {
                     "listeners": [{"port": 80, "protocol": "TCP"},
                                   {"port": 443, "protocol": "TLS", "hostname": "a.b"}]}},
                 "NAME  PROXIES  LISTENERS           ZONE  REV\n"
                 "x     edge     TCP:80 TLS:443/a.b  -     7\n")):
            with self.subTest(kind=kind):
                self.says(f"GET /meshes/default/{plural}?size=1000&offset=0", 200,
                          {"items": [{"name": "x", "revision": 7, **document}],
                           "next": None})
                self.assertEqual(self.ctl(0, "get", kind), table)

    def test_tables_of_what_attaches_to_routes(self):
        backend = {"kind": "MeshService", "name": "backend"}
        for kind, plural, document, table in (
                ("mt", "meshtimeouts",
                 {"labels": {"kuma.io/origin": "global"}, "spec": {
                     "to": [{"targetRef": backend, "default": {"idleTimeout": "1s", "http": {}}},
                            {"targetRef": {"kind": "Mesh"}, "default": {"http": {}}}],
                     "from": [{"targetRef": {"kind": "Mesh"}, "default": {}}]}},
                 "NAME  TARGET  TO                    SETS                     ORIGIN  ZONE  REV\n"
                 "x     Mesh    backend Mesh inbound  idleTimeout,http http -  global  -     7\n"),
                ("mal", "meshaccesslogs",
                 {"spec": {"targetRef": {"kind": "Dataplane"}, "rules": [
                     {"default": {"backends": [{"type": "Tcp"}, {"type": "File"}]}},
                     {"default": {"backends": []}}]}},
                 "NAME  TARGET     TO               BACKENDS       ORIGIN  ZONE  REV\n"
                 "x     Dataplane  inbound inbound  Tcp,File none  -       -     7\n"),
                ("mtp", "meshtrafficpermissions",
                 {"spec": {"from": [{"targetRef": {"kind": "Mesh"},
                                     "default": {"action": "Deny"}}]}},
                 "NAME  TARGET  TO       ACTION  ORIGIN  ZONE  REV\n"
                 "x     Mesh    inbound  Deny    -       -     7\n"),
                ("circuit-breakers", "circuit-breakers",
                 {"sources": [{"match": {"kuma.io/service": "*"}}],
                  "destinations": [{"match": {"kuma.io/service": "b"}}],
                  "conf": {"interval": "1s", "detectors": {}}},
                 "NAME  SOURCES  DESTINATIONS  SETS                REV\n"
                 "x     *        b             interval,detectors  7\n"),
                ("traffic-permissions", "traffic-permissions", {"spec": {"sources": 1}},
                 "NAME  SOURCES  DESTINATIONS  SETS  REV\n"
                 "x     -        -             -     7\n")):
            with self.subTest(kind=kind):
                self.says(f"GET /meshes/default/{plural}?size=1000&offset=0", 200,
                          {"items": [{"name": "x", "revision": 7, **document}],
                           "next": None})
                self.assertEqual(self.ctl(0, "get", kind), table)

    def test_tables_of_zone_proxies(self):
        port = {"address": "10.0.0.9", "port": 10002}
        for kind, documents, table in (
                ("ze", ({"zone": "east", "networking": port},
                        {"labels": {"kuma.io/zone": "west"}, "spec": {"networking": port}}),
                 "NAME  ZONE  ADDRESS         REV\n"
                 "x0    east  10.0.0.9:10002  7\n"
                 "x1    west  10.0.0.9:10002  7\n"),
                ("zi", ({"zone": "east", "availableServices": [{}], "networking": {
                    "advertisedAddress": "a.b", "advertisedPort": 1}}, {"zone": "west"}),
                 "NAME  ZONE  ADVERTISED  SERVICES  REV\n"
                 "x0    east  a.b:1       1         7\n"
                 "x1    west  -           -         7\n")):
            with self.subTest(kind=kind):
                plural = {"ze": "zoneegresses", "zi": "zoneingresses"}[kind]
                items = [{"name": f"x{i}", "revision": 7, **document}
                         for i, document in enumerate(documents)]
                self.says(f"GET /{plural}?size=1000&offset=0", 200,
                          {"items": items, "next": None})
                self.assertEqual(self.ctl(0, "get", kind), table)

    def test_tables_of_services(self):
        status = {"vips": [{"ip": "241.0.0.1"}], "addresses": [{"hostname": "x.mesh.local"}]}
        ports = [{"port": 5432, "name": "sql"}, {"port": 80}]
        for kind, plural, document, table in (
                ("msvc", "meshservices",
                 {"labels": {"kuma.io/zone": "east"}, "status": status,
                  "spec": {"ports": ports, "state": "Available"}},
                 ("NAME  PORTS        STATE      ZONE  REV",
                  "x     5432/sql 80  Available  east  7  ", "241.0.0.1  x.mesh.local")),
                ("mzsvc", "meshmultizoneservices",
                 {"status": status, "spec": {"ports": ports, "selector": {
                     "meshService": {"matchLabels": {"app": "db", "b": "c"}}}}},
                 ("NAME  PORTS        MATCH       REV",
                  "x     5432/sql 80  app=db,b=c  7  ", "241.0.0.1  x.mesh.local")),
                ("extsvc", "meshexternalservices",
                 {"status": {"vip": {"ip": "242.0.0.1"}}, "spec": {
                     "match": {"port": 90}, "tls": {"enabled": True},
                     "endpoints": [{"address": "a.b", "port": 1}, {"address": "c"}]}},
                 ("NAME  PORT  ENDPOINTS    TLS  ZONE  REV",
                  "x     90    a.b:1 c:?  on   -     7  ", "242.0.0.1  -")),
                ("external-services", "external-services",
                 {"tags": {"kuma.io/service": "s"}, "networking": {"address": "a:1"}},
                 ("NAME  SERVICE  ADDRESS  TLS  REV", "x     s        a:1      off  7", ""))):
            with self.subTest(kind=kind):
                self.says(f"GET /meshes/default/{plural}?size=1000&offset=0", 200,
                          {"items": [{"name": "x", "revision": 7, **document}],
                           "next": None})
                head, row, more = [" ".join(part.split()) for part in table]
                for output, tail, end in (("table", "", ""), ("wide", " VIP HOSTNAME", more)):
                    if kind == "external-services":
                        tail = ""
                    lines = self.ctl(0, "get", kind, "-o", output).splitlines()
                    self.assertEqual([" ".join(line.split()) for line in lines],
                                     [head + tail, f"{row} {end}".strip()])

    def test_what_get_prints_can_be_applied(self):
        meshes = [{"type": "Mesh", "name": n, "revision": 1, "kri": "x"} for n in "abc"]
        self.says("GET /meshes?size=1000&offset=0", 200, {"items": meshes, "next": None})
        out = self.ctl(0, "get", "mesh", "-o", "yaml")
        self.says("*", 200, APPLIED)
        self.ctl(0, "apply", "-f", "-", stdin=out)
        sent = json.loads(self.last()[3])
        self.assertEqual([doc["name"] for doc in sent], ["a", "b", "c"])

    def test_pages(self):
        def page(first, last, more):
            return {"items": [{"type": "Mesh", "name": f"m{i}"} for i in range(first, last)],
                    "next": "/meshes?..." if more else None}

        self.says("GET /meshes?size=1000&offset=0", 200, page(0, 1000, True))
        self.says("GET /meshes?size=1000&offset=1000", 200, page(1000, 1500, False))
        self.assertEqual(len(self.ctl_json(0, "get", "mesh")), 1500)
        # a server that always has a next page
        self.says("*", 200, {"items": [], "next": "again"})
        self.ctl(0, "get", "zone")

    def test_apply(self):
        self.says("POST /_apply", 200, APPLIED)
        path = self.file("f.yaml", route("r") + "---\n" + MESH)
        self.assertEqual(
            self.ctl(0, "apply", "-f", path),
            "meshtcproute/r  configured  rev 41 -> 43\n"
            "mesh/default  unchanged\n"
            "mesh/m  created\n"
            "1 created, 1 configured, 1 unchanged (revision 43)\n"
            "warning: MeshTCPRoute r: spec.to: because\n")
        method, target, headers, body = self.last()
        self.assertEqual(headers["Content-Type"], "application/json")
        self.assertEqual([d["type"] for d in json.loads(body)], ["MeshTCPRoute", "Mesh"])
        self.assertEqual(self.ctl(0, "apply", "-q", "-f", path), "")
        self.assertEqual(self.ctl_json(0, "apply", "-f", path), APPLIED)

    def test_apply_flags(self):
        path = self.file("f.yaml", MESH)
        self.says("*", 200, {**APPLIED, "dryRun": True})
        out = self.ctl(0, "apply", "-f", path, "--dry-run", "--message", "a b&c")
        self.assertEqual(self.last()[1], "/_apply?dry_run=server&message=a%20b%26c")
        self.assertIn("dry run: nothing was stored", out)
        count = len(self.server.asked)
        out = self.ctl(0, "apply", "-f", path, "--dry-run=client")
        self.assertIn("nothing was sent", out)
        for code, text in ((3, "{type: Mesh, name: UPPER}\n"), (10, "a: ["), (10, "")):
            self.ctl(code, "apply", "-f", self.file("bad.yaml", text))
        self.assertEqual(len(self.server.asked), count)

    def test_apply_waits(self):
        path = self.file("f.yaml", MESH)

        def wait(code, reached, nacked, *args):
            self.says("*", 200, {**APPLIED, "wait": {
                "revision": 43, "for": "proxies", "reached": reached, "nacked": nacked,
                "elapsedUs": 1800, "zones": [{
                    "name": "east", "proxies": {"total": 60, "acked": 59},
                    "laggards": [{"proxy": "default/web-01", "acked": 42,
                                  "error": "no such cluster"}]}]}})
            return self.ctl(code, "apply", "-f", path, *args)

        out = wait(0, True, 0, "--wait")
        self.assertEqual(self.last()[1], "/_apply?wait=proxies&timeout=30000ms")
        # 59 of 60 have all there is; the revision that was asked for, all have.
        self.assertIn("revision 43: 1 zones, dataplanes 60/60 acked in 1.8 ms\n", out)
        self.assertIn("x east/default/web-01 at revision 42: no such cluster\n", out)
        self.assertEqual(wait(0, True, 0, "--wait", "-q"), "")
        wait(8, False, 0, "--wait=zones", "--timeout", "2s")
        self.assertEqual(self.last()[1], "/_apply?wait=zones&timeout=2000ms")
        self.assertIn("dataplanes 59/60 acked", wait(1, False, 1, "--wait"))
        self.assertIn("no such cluster", wait(1, True, 2, "--wait", "-q"))
        self.assertEqual(json.loads(wait(1, True, 2, "--wait", "-o", "json"))["revision"], 43)

    def test_delete(self):
        self.says("DELETE /meshes/default/meshtcproutes/r", 200, {"revision": 44})
        self.assertEqual(self.ctl(0, "delete", "mtcpr", "r"),
                         "meshtcproute/r  deleted (revision 44)\n")
        self.assertNotIn("If-Match", self.last()[2])
        self.ctl(0, "delete", "mtcpr", "r", "--if-revision", "42")
        self.assertEqual(self.last()[2]["If-Match"], '"r42"')
        self.assertEqual(self.ctl(0, "delete", "-q", "mtcpr", "r"), "")
        self.ctl(4, "delete", "mesh", "r")

    def test_zones(self):
        zones = {"revision": 42, "items": [
            {"name": "east", "state": "Online", "revision": 42, "lag": 0, "hash": "9f3c",
             "proxies": {"total": 60, "acked": 60, "nacked": 0}, "lastSeenMs": 400,
             "version": "0.1.0"},
            {"name": "apac", "state": "Stale", "revision": 40, "lag": 2, "lastSeenMs": 340000,
             "error": "nothing heard for 340 s",
             "refusedCount": 3, "refused": [
                 {"kri": "kri_m_default____", "reason": "kind Mesh is written at global"}]}]}
        self.says("GET /zones/_overview", 200, zones)
        self.assertEqual(
            self.ctl(0, "zones"),
            "NAME  STATE   REV  LAG  HASH  DPS    ACK/NACK  LAST SEEN  VERSION\n"
            "east  Online  42   0    9f3c  60/60  60/0      0s         0.1.0\n"
            "apac  Stale   40   2    -     -/-    -/-       5m         -\n"
            "apac: nothing heard for 340 s\n"
            "apac: refused kri_m_default____: kind Mesh is written at global\n"
            "apac: and 2 more\n"
            "1 of 2 zones at revision 42\n")
        self.assertEqual(self.ctl_json(0, "zones"), zones)

    def test_explain(self):
        self.says("GET /meshes/default/dataplanes/web-01/_routes?format=text", 200, b"words\n")
        self.says("GET /meshes/m/dataplanes/web-01/_routes?format=json&to=a%20b", 200, {"z": 1})
        self.assertEqual(self.ctl(0, "explain", "web-01"), "words\n")
        args = ("explain", "web-01", "-m", "m", "--to", "a b")
        self.assertEqual(self.ctl_json(0, *args), {"z": 1})
        self.assertEqual(self.ctl(0, *args, "-o", "yaml"), "z: 1\n")
        self.ctl(4, "explain", "none")

    def test_a_proxy_asked_of_global(self):
        """The default server is global, which has no proxies: it says where they are."""
        for role in ("zone", "global"):
            self.says("GET /", 200, {"product": "Zonelink", "role": role})
            code, _, told = self.run_ctl("explain", "web-01")
            self.assertEqual(code, 4)
            self.assertEqual('ask the zone of "web-01"' in told, role == "global", told)

    def test_denials(self):
        gate = "TLS_error:verify_cert_failed:_SAN_matcher"
        reasons = (gate, "rbac_access_denied_matched_policy[none]", "a shadow rule denies it")
        self.says("GET /meshes/default/_denials", 200, {
            "zone": "east", "counts": [], "denials": [{"client": "c", "reason": reason}
                                                      for reason in reasons]})
        told = self.ctl(0, "get", "denials").splitlines()
        self.assertIn("(handshake)", told[1])
        self.assertIn("(first byte)", told[2])
        self.assertIn(reasons[2], told[3])
        wide = self.ctl(0, "get", "denials", "-o", "wide")
        self.assertTrue(all(reason in wide for reason in reasons), wide)
        self.ctl(2, "get", "denials", "web")
        self.ctl(4, "get", "denials", "-m", "m")

    def test_bootstrap(self):
        base = "GET /meshes/default/dataplanes/web-01/_bootstrap"
        self.says(base, 200, b"node: {}\n")
        self.says(base + "?admin=unix%3A%2Frun%2Fa", 200, b"admin: {}\n")
        self.assertEqual(self.ctl(0, "bootstrap", "web-01"), "node: {}\n")
        self.assertEqual(self.ctl(0, "bootstrap", "web-01", "--admin", "unix:/run/a"),
                         "admin: {}\n")
        self.ctl(4, "bootstrap", "none")

    def test_zone_proxies(self):
        """By name where no Dataplane has it, or by --zone-proxy."""
        self.says("GET /zoneingresses/in-1/_bootstrap", 200, b"node: {}\n")
        self.assertEqual(self.ctl(0, "bootstrap", "in-1"), "node: {}\n")
        self.assertEqual([ask[1] for ask in self.server.asked[-2:]],
                         ["/meshes/default/dataplanes/in-1/_bootstrap",
                          "/zoneingresses/in-1/_bootstrap"])
        self.says("GET /zoneegresses/out-1/_routes?format=text", 200, b"text\n")
        self.assertEqual(self.ctl(0, "explain", "out-1"), "text\n")
        self.ctl(0, "explain", "out-1", "--zone-proxy", "egress")
        self.assertEqual(self.last()[1], "/zoneegresses/out-1/_routes?format=text")
        self.ctl(4, "explain", "out-1", "--zone-proxy", "ingress")
        self.assertEqual(self.last()[1], "/zoneingresses/out-1/_routes?format=text")
        self.ctl(2, "bootstrap", "in-1", "--zone-proxy", "both")

    def test_version(self):
        self.says("GET /", 200, {"product": "Zonelink", "role": "zone", "zone": "east",
                                 "version": "9.9.9"})
        out = self.ctl(0, "version")
        self.assertIn("(zone east)  differs from the client", out)
        both = self.ctl_json(0, "version")
        self.assertEqual(both["server"], "9.9.9")
        self.assertEqual(self.ctl(0, "version", "--client"), f"client  {both['client']}\n")
        code, out, _ = self.run_ctl("version", "--server", "unix:/none")
        self.assertEqual((code, out), (7, f"client  {both['client']}\n"))

    def test_verbose(self):
        self.says("*", 200, {"items": [], "next": None})
        code, _, err = self.run_ctl("get", "mesh", "-v")
        self.assertEqual(code, 0)
        self.assertIn("GET http://localhost/meshes?size=1000&offset=0 -> 200", err)

    def test_odd_answers_are_survived(self):
        path = self.file("f.yaml", MESH)
        for answer in ODD:
            self.says("*", 200, answer)
            for args in (("get", "mtcpr"), ("get", "dataplane"), ("get", "mesh", "-o", "name"),
                         ("get", "zone", "a"), ("get", "zoneingress"), ("zones",),
                         ("get", "msvc", "-o", "wide"), ("get", "mzsvc"), ("get", "extsvc"),
                         ("get", "external-services"),
                         ("version",), ("explain", "a", "-o", "yaml"), ("delete", "mesh", "a"),
                         ("apply", "-f", path), ("apply", "-f", path, "--wait"),
                         ("get", "mtcpr", "-o", "yaml")):
                with self.subTest(answer=answer, args=args):
                    self.assertIn(self.run_ctl(*args)[0], (0, 8, 9))
            self.says("*", 400, answer)
            self.assertEqual(self.run_ctl("apply", "-f", path)[0], 3)


main()

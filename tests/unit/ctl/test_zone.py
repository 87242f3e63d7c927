"""zone disable, enable, revoke, retire, certificates; tokens to join with."""

from ctl import main
from scripted import Served

PLAN = {"zone": "west", "dryRun": True, "connected": True, "count": 3,
        "kinds": {"Zone": 1, "ZoneIngress": 2}, "certificates": 1, "tokens": 0,
        "resources": ["kri_z__west___", "kri_zi__west__in-1_", "kri_zi__west__in-2_"]}


class Zone(Served):
    def body(self):
        return self.server.asked[-1][3]

    def test_disable_and_enable(self):
        for verb in ("disable", "enable"):
            self.says(f"POST /zones/west/_{verb}", 200,
                      {"zone": "west", "enabled": verb == "enable", "revision": 43})
            self.assertEqual(self.ctl(0, "zone", verb, "west"),
                             f"zone west {verb}d at revision 43\n")
        self.assertEqual(self.ctl(0, "zone", "disable", "west", "-q"), "")
        self.assertEqual(self.ctl_json(0, "zone", "disable", "west")["revision"], 43)
        self.ctl(4, "zone", "disable", "nobody")

    def test_revoke(self):
        self.says("POST /zones/west/_revoke", 200,
                  {"zone": "west", "certificates": 2, "tokens": 1})
        self.assertEqual(
            self.ctl(0, "zone", "revoke", "west"),
            "zone west: 2 certificates revoked, 1 tokens withdrawn; it serves its proxies "
            "what it knows until it joins anew\n")

    def test_retire_shows_before_it_removes(self):
        self.says("POST /zones/west/_retire?dry_run=1", 200, PLAN)
        self.says("POST /zones/west/_retire", 200, {**PLAN, "dryRun": False})
        head = ("zone west, which is connected\n"
                "  1 Zone\n"
                "  2 ZoneIngress\n"
                "  1 certificates, 0 tokens\n")
        shown = head + "".join(f"  {kri}\n" for kri in PLAN["resources"])
        nothing = "nothing was changed: --yes removes all of it\n"
        self.assertEqual(self.ctl(1, "zone", "retire", "west"), shown + nothing)
        self.assertEqual(self.ctl(0, "zone", "retire", "west", "--dry-run"), shown + nothing)
        self.assertEqual(self.ctl(0, "zone", "retire", "west", "--dry-run", "--yes"),
                         shown + nothing)
        self.assertNotIn("POST /zones/west/_retire",
                         [" ".join(asked[:2]) for asked in self.server.asked])
        self.assertEqual(self.ctl(0, "zone", "retire", "west", "--yes"),
                         head + "retired: all of it is removed\n")
        self.assertEqual(self.ctl_json(0, "zone", "retire", "west", "--dry-run"), PLAN)

    def test_certificates(self):
        self.says("GET /zones/west/_certificates", 200, {
            "zone": "west",
            "certificates": [{"serial": "0a1b", "state": "good", "begins": "b",
                              "expires": "2030-01-01T00:00:00.000000Z", "key": "k"}],
            "tokens": [{"id": "77ff", "state": "used", "made": "m",
                        "expires": "2029-01-01T00:00:00.000000Z"}]})
        self.assertEqual(
            self.ctl(0, "zone", "certificates", "west"),
            "SERIAL OR TOKEN  WHAT         STATE  EXPIRES\n"
            "0a1b             certificate  good   2030-01-01T00:00:00.000000Z\n"
            "77ff             token        used   2029-01-01T00:00:00.000000Z\n")

    def test_join_tokens(self):
        made = {"token": "a.b.c", "id": "0" * 32, "zone": "east", "ca": "0" * 64,
                "expires": "2030-01-01T00:00:00.000000Z"}
        self.says("POST /zones/east/_tokens", 201, made)
        self.assertEqual(self.ctl(0, "token", "create", "--zone", "east"), "a.b.c\n")
        self.assertEqual(self.body(), b"{}")
        self.ctl(0, "token", "create", "--zone", "east", "--ttl", "30m")
        self.assertEqual(self.body(), b'{"ttl":"30m"}')
        self.assertEqual(self.ctl_json(0, "token", "create", "--zone", "east"), made)

    def test_usage(self):
        self.ctl(2, "zone")
        self.ctl(2, "zone", "disable")
        self.ctl(2, "zone", "burn", "west")
        self.ctl(2, "zone", "disable", "west", "--wait")
        self.ctl(2, "apply", "-f", "-", "--yes")


if __name__ == "__main__":
    main()

"""Flags, environment, context file, help."""

import subprocess

from ctl import MESH, PROGRAM, Case, dataplane, main


class Flags(Case):
    def test_usage_errors(self):
        cases = [
            (),
            ("nope",),
            ("validate",),
            ("validate", "-f"),
            ("validate", "-f", ""),
            ("validate", "--nope"),
            ("validate", "-x"),
            ("validate", "extra", "-f", "a"),
            ("validate", "-f", "a", "-o", "xml"),
            ("validate", "-f", "a", "-o", "envoy"),
            ("validate", "-f", "a", "--zone", "east"),
            ("validate", "-f", "a", "--quiet=yes"),
            ("validate", "-qv", "-f", "a"),
            ("simulate", "--zone", "east"),
            ("simulate", "-f", "a"),
            ("simulate", "-f", "a", "--zone="),
            ("simulate", "-f", "a", "--zone", "east", "-o", "yaml"),
            ("apply",),
            ("apply", "-f", "a", "--wait=all"),
            ("apply", "-f", "a", "--wait="),
            ("apply", "-f", "a", "--dry-run=maybe"),
            ("apply", "-f", "a", "--if-revision", "3"),
            ("delete", "mesh"),
            ("delete", "mesh", "a", "b"),
            ("delete", "nope", "a"),
            ("delete", "mesh", ""),
            ("delete", "mesh", "a", "--if-revision", "x"),
            ("delete", "mesh", "a", "--if-revision", "-1"),
            ("get",),
            ("get", "nope"),
            ("get", "mesh", "--zone", "east"),
            ("get", "mesh", "-o", "envoy"),
            ("get", "mesh", "--timeout", "0s"),
            ("get", "mesh", "--timeout", "5"),
            ("get", "mesh", "--timeout", "-5s"),
            ("get", "mesh", "--timeout", " 5s"),
            ("get", "mesh", "--timeout", "25h"),
            ("get", "mesh", "--timeout", "99999999999s"),
            ("get", "mesh", "-m", ""),
            ("explain",),
            ("bootstrap",),
            ("help", "nope"),
        ]
        for args in cases:
            with self.subTest(args=args):
                code, out, err = self.run_ctl(*args)
                self.assertEqual(code, 2, out + err)
                if args:
                    self.assertTrue(err.startswith("zonelinkctl: "), err)

    def test_spellings(self):
        path = self.file("f.yaml", MESH)
        for args in (
            ("validate", "-f", path),
            ("-f", path, "validate"),
            ("validate", f"-f{path}"),
            ("validate", f"--file={path}"),
            ("validate", "--file", path),
            ("validate", "-f", path, "-ojson"),
            ("validate", "-f", path, "-o=json"),
            ("validate", "-f", path, "--output=json"),
            ("-q", "-v", "validate", "-f", path),
        ):
            with self.subTest(args=args):
                self.assertEqual(self.run_ctl(*args)[0], 0)
        self.file("-odd", MESH)
        self.assertEqual(self.run_ctl("validate", "-f", "-odd")[0], 0)
        self.assertEqual(self.run_ctl("get", "--", "--help")[0], 2)

    def test_help(self):
        out = self.ctl(0, "help")
        for name in ("apply", "get", "delete", "zones", "validate", "simulate",
                     "explain", "bootstrap", "version", "--server", "ZONELINK_SERVER"):
            self.assertIn(name, out)
        self.assertEqual(out, self.ctl(0, "--help"))
        self.assertEqual(out, self.ctl(0, "-h"))
        self.assertEqual(self.run_ctl()[1], out)
        out = self.ctl(0, "help", "validate")
        self.assertEqual(out, self.ctl(0, "validate", "--help"))
        self.assertIn("--file", out)
        self.assertNotIn("--proxy", out)
        out = self.ctl(0, "help", "exit-codes")
        lines = dict(line.split(None, 1) for line in out.splitlines())
        self.assertEqual(
            list(lines), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "130"]
        )

    def test_environment(self):
        path = self.file("f.yaml", MESH + "---\n" + dataplane("a", more="mesh: m\n"))
        out = self.ctl(0, "validate", "-f", path, env={"ZONELINK_OUTPUT": "json"})
        self.assertTrue(out.startswith("{"))
        out = self.ctl(0, "validate", "-f", path, "-o", "table",
                       env={"ZONELINK_OUTPUT": "json"})
        self.assertFalse(out.startswith("{"))
        # a format of other commands is no error of this one
        self.ctl(0, "validate", "-f", path, env={"ZONELINK_OUTPUT": "wide"})
        code, _, err = self.run_ctl("validate", "-f", path, env={"ZONELINK_OUTPUT": "xml"})
        self.assertEqual(code, 2)
        self.assertIn("ZONELINK_OUTPUT", err)
        base = ["simulate", "-f", path, "--zone", "east"]
        env = {"ZONELINK_MESH": "m"}
        self.assertEqual(len(self.ctl_json(0, *base, env=env)["proxies"]), 1)
        self.assertEqual(
            len(self.ctl_json(0, *base, "-m", "default", env=env)["proxies"]), 0
        )
        self.ctl(0, "validate", "-f", path, env={"ZONELINK_MESH": ""})

    def asked(self, *args, env=None):
        """The server that a command would have liked to talk to."""
        code, _, err = self.run_ctl("get", "mesh", *args, env=env)
        self.assertEqual(code, 7, err)
        return err.split(": ")[1]

    def test_which_server(self):
        config = (
            "current: one\ncontexts:\n  one: {server: 'unix:/one'}\n"
            "  two: {server: 'unix:/two'}\n  bad: {}\n"
        )
        flag = ("--server", "unix:/flag")
        env = {"ZONELINK_SERVER": "unix:/env"}
        self.assertEqual(self.asked(), "unix:/run/zonelink/api.sock")
        self.assertEqual(self.asked(env=env), "unix:/env")
        self.assertEqual(self.asked(*flag, env=env), "unix:/flag")
        self.ctl(10, "get", "mesh", "--context", "one")  # there is no file
        self.file(".config/zonelinkctl/config", config, 0o600)
        self.assertEqual(self.asked(), "unix:/one")
        self.assertEqual(self.asked("--context", "two"), "unix:/two")
        self.assertEqual(self.asked("--context", "two", env=env), "unix:/two")
        self.assertEqual(self.asked("--context", "two", *flag), "unix:/flag")
        self.assertEqual(self.asked(*flag, "--context", "two"), "unix:/flag")
        self.assertEqual(self.asked(env=env), "unix:/env")
        self.assertEqual(self.asked(env={"ZONELINK_CONTEXT": "two"}), "unix:/two")
        self.assertEqual(
            self.asked(env={"ZONELINK_CONTEXT": "two", **env}), "unix:/env"
        )
        for name in ("bad", "none"):
            code, _, err = self.run_ctl("get", "mesh", "--context", name)
            self.assertEqual(code, 2)
            self.assertIn(name, err)
        other = self.file("xdg/zonelinkctl/config", "contexts: {}\n", 0o600)
        xdg = {"XDG_CONFIG_HOME": self.dir + "/xdg"}
        self.assertEqual(self.asked(env=xdg), "unix:/run/zonelink/api.sock")
        self.assertEqual(self.asked(env={"XDG_CONFIG_HOME": ""}), "unix:/one")
        for text in ("a: [", "", "- 1\n---\n- 2\n", "x" * 70000):
            self.file("xdg/zonelinkctl/config", text, 0o600)
            code, _, err = self.run_ctl("get", "mesh", env=xdg)
            self.assertEqual(code, 10, err)
            self.assertIn(other, err)

    def test_a_context_file_of_others_is_refused(self):
        path = self.file(".config/zonelinkctl/config", "contexts: {}\n", 0o644)
        code, _, err = self.run_ctl("get", "mesh")
        self.assertEqual(code, 10)
        self.assertIn(f"chmod 600 {path}", err)
        # and bothers nobody who does not need it
        self.ctl(0, "validate", "-f", self.file("f.yaml", MESH))
        self.ctl(0, "help")
        self.ctl(0, "version", "--client")
        self.assertEqual(self.asked("--server", "unix:/flag"), "unix:/flag")

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([PROGRAM, "help"], stdout=full, env=self.env,
                                  stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"standard output", done.stderr)


main()

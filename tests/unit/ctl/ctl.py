"""Run the zonelinkctl named on the command line, in an empty folder and environment."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.abspath(sys.argv[1])

MESH = "{type: Mesh, name: default}\n"


def dataplane(name, address="10.0.0.1", service="web", more="", outbound=""):
    return (
        f"type: Dataplane\nname: {name}\n{more}networking:\n  address: {address}\n"
        f"  inbound: [{{port: 80, tags: {{kuma.io/service: {service}}}}}]\n"
        + (f"  outbound: [{outbound}]\n" if outbound else "")
    )


def route(name, weight=1, more=""):
    return (
        f"type: MeshTCPRoute\nname: {name}\n{more}spec:\n  targetRef: {{kind: Mesh}}\n"
        "  to:\n  - targetRef: {kind: MeshService, name: backend}\n    rules:\n"
        "    - default:\n        backendRefs:\n"
        f"        - {{kind: MeshService, name: other, weight: {weight}}}\n"
    )


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.env = {"HOME": self.dir, "PATH": "/usr/bin:/bin"}
        for name in os.environ:
            if name.endswith("SAN_OPTIONS"):
                self.env[name] = os.environ[name]

    def tearDown(self):
        shutil.rmtree(self.dir)

    def file(self, name, text, mode=0o644):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)
        return path

    def run_ctl(self, *args, stdin="", env=None):
        """Exit code, standard output, standard error."""
        done = subprocess.run(
            [PROGRAM, *args],
            input=stdin if isinstance(stdin, bytes) else stdin.encode(),
            capture_output=True,
            cwd=self.dir,
            env={**self.env, **(env or {})},
            timeout=60,
        )
        out = done.stdout.decode(errors="replace")
        err = done.stderr.decode(errors="replace")
        if done.returncode < 0 or "Sanitizer" in err:
            self.fail(f"{args}: ended by {done.returncode}: {err}")
        return done.returncode, out, err

    def ctl(self, code, *args, **more):
        """Expect the exit code; standard output. Without a failure, nothing is on
        standard error."""
        got, out, err = self.run_ctl(*args, **more)
        self.assertEqual(got, code, f"{args}\n{out}\n{err}")
        if code == 0 and "-v" not in args:
            self.assertEqual(err, "")
        return out

    def ctl_json(self, code, *args, **more):
        return json.loads(self.ctl(code, *args, "-o", "json", **more))


def main():
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])

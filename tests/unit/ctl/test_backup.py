"""snapshot and store: files and folders as people name them."""

import os

from ctl import main
from scripted import Served

HEAD = b"zonelink snapshot 1\nversion: 0.1.0\nmade: 1\nepoch: " + 32 * b"0"


class Backup(Served):
    def test_usage(self):
        for args in (("snapshot",), ("snapshot", "save"), ("snapshot", "mend", "f"),
                     ("snapshot", "restore", "f"), ("store", "verify"), ("store", "mend", "."),
                     ("snapshot", "save", "f", "--force"), ("store", "verify", ".", "--force"),
                     ("snapshot", "verify", "f", "--data-dir", "d")):
            with self.subTest(args=args):
                self.ctl(2, *args)

    def test_what_is_no_snapshot(self):
        path = self.file("bad", HEAD + 8192 * b"x")
        for verb in ("inspect", "verify"):
            code, _, err = self.run_ctl("snapshot", verb, path)
            self.assertEqual(code, 1)
            self.assertIn("bad is not a snapshot", err)
        self.ctl(3, "snapshot", "restore", path, "--data-dir", self.dir + "/new")
        self.assertEqual(os.listdir(self.dir + "/new"), [])
        self.ctl(10, "snapshot", "inspect", self.dir + "/none")

    def test_a_save_that_fails_leaves_nothing(self):
        before = sorted(os.listdir(self.dir))
        self.says("GET /_snapshot", 200, b"no snapshot")
        self.ctl(9, "snapshot", "save", "f")
        self.says("GET /_snapshot", 507, {"title": "Insufficient Storage", "detail": "full"})
        _, _, err = self.run_ctl("snapshot", "save", "f")
        self.assertIn("507 Insufficient Storage: full", err)
        self.says("GET /_snapshot", 403, {"title": "Forbidden"})
        self.ctl(6, "snapshot", "save", "f")
        self.ctl(10, "snapshot", "save", "none/f")
        self.assertEqual(sorted(os.listdir(self.dir)), before)

    def test_no_store(self):
        self.ctl(4, "store", "verify", self.dir)
        self.file("d/replica/data.mdb", b"garbage " * 2000, 0o600)
        code, out, _ = self.run_ctl("store", "verify", "d")
        self.assertEqual(code, 1)
        self.assertTrue(out.startswith("DAMAGED  d/replica (the zone's copy of global's store)"))
        self.assertIn("restart the zone", out)
        code, out, _ = self.run_ctl("store", "verify", "d", "-o", "json")
        self.assertEqual(code, 1)
        self.assertIn('"sound": false', out)


main()

"""Servers by https, tokens, and the commands about tokens."""

import json
import os
import ssl
import subprocess
import threading

from ctl import Case, main
from scripted import Handler, Served, Tcp

VERSION = {"product": "Zonelink", "role": "global", "version": "0.1.0"}


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)


class Mesh:
    """An authority, and what it has signed, in a folder."""

    def __init__(self, folder):
        self.folder = folder
        os.mkdir(folder)
        self.ca = os.path.join(folder, "ca.crt")
        self.key = os.path.join(folder, "ca.key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-keyout", self.key, "-out", self.ca, "-subj", "/CN=mesh")

    def server(self, san):
        """A TLS context for who has this subjectAltName."""
        path = os.path.join(self.folder, san.replace("/", "_"))
        with open(path + ".ext", "w", encoding="utf8") as out:
            out.write(f"subjectAltName={san}\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", path + ".key", "-out", path + ".csr", "-subj", "/CN=server")
        openssl("x509", "-req", "-in", path + ".csr", "-CA", self.ca, "-CAkey", self.key,
                "-CAcreateserial", "-out", path + ".crt", "-extfile", path + ".ext")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path + ".crt", path + ".key")
        return context


class Quiet(Tcp):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


class Secure(Case):
    def setUp(self):
        super().setUp()
        self.mesh = Mesh(os.path.join(self.dir, "mesh"))
        self.servers = []
        self.token = self.file("token", "abc.def-_.9\n", 0o600)

    def tearDown(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()
        super().tearDown()

    def serve(self, context, status=200):
        server = Quiet(("127.0.0.1", 0), Handler)
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        server.script = {"*": (status, VERSION)}
        server.asked = []
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self.servers.append(server)
        return server, f"https://127.0.0.1:{server.server_address[1]}"

    def test_the_mesh_is_trusted_and_the_token_shown(self):
        server, url = self.serve(self.mesh.server("URI:spiffe://zonelink/global"))
        self.ctl(0, "version", "--server", url, "--ca", self.mesh.ca)
        self.assertNotIn("Authorization", server.asked[-1][2])
        self.ctl(0, "version", "--server", url, "--ca", self.mesh.ca,
                 "--token-file", self.token)
        self.assertEqual(server.asked[-1][2]["Authorization"], "Bearer abc.def-_.9")
        self.ctl(0, "version", env={"ZONELINK_SERVER": url, "ZONELINK_CA": self.mesh.ca,
                                    "ZONELINK_TOKEN_FILE": self.token})
        self.assertEqual(server.asked[-1][2]["Authorization"], "Bearer abc.def-_.9")

    def test_a_context_says_it_all(self):
        server, url = self.serve(self.mesh.server("URI:spiffe://zonelink/zone/east"))
        self.file(".config/zonelinkctl/config",
                  f"current: lab\ncontexts:\n  lab: {{server: '{url}', ca: {self.mesh.ca},"
                  f" token_file: {self.token}, identity: zone/east}}\n", 0o600)
        self.ctl(0, "version")
        self.assertEqual(server.asked[-1][2]["Authorization"], "Bearer abc.def-_.9")
        code, _, err = self.run_ctl("version", "--identity", "global")
        self.assertEqual(code, 7, err)

    def test_somebody_else_gets_nothing(self):
        for san in ("URI:spiffe://zonelink/zone/east", "URI:spiffe://zonelink/globals",
                    "DNS:spiffe://zonelink/global", "IP:127.0.0.1"):
            server, url = self.serve(self.mesh.server(san))
            code, _, err = self.run_ctl("version", "--server", url, "--ca", self.mesh.ca,
                                        "--token-file", self.token)
            self.assertEqual(code, 7, err)
            self.assertIn("not spiffe://zonelink/global; nothing was sent", err)
            self.assertEqual(server.asked, [])
        self.assertIn("this is nobody", err)

    def test_another_authority(self):
        other = Mesh(os.path.join(self.dir, "other"))
        server, url = self.serve(other.server("URI:spiffe://zonelink/global"))
        code, _, err = self.run_ctl("version", "--server", url, "--ca", self.mesh.ca)
        self.assertEqual(code, 7, err)
        self.assertIn("is not good for --ca", err)
        self.assertEqual(server.asked, [])

    def test_no_authority(self):
        _, url = self.serve(None)
        code, _, err = self.run_ctl("version", "--server", url)
        self.assertEqual(code, 2, err)
        self.assertIn("say --ca FILE", err)
        for path in (self.dir + "/absent", self.file("empty", "")):
            code, _, err = self.run_ctl("version", "--server", url, "--ca", path)
            self.assertEqual(code, 7, err)
            self.assertIn(path, err)

    def test_no_tls_there(self):
        _, url = self.serve(None)
        code, _, err = self.run_ctl("version", "--server", url, "--ca", self.mesh.ca)
        self.assertEqual(code, 7, err)
        self.assertIn("no TLS connection", err)

    def test_tokens_do_not_travel_in_the_clear(self):
        code, _, err = self.run_ctl("version", "--server", "http://192.0.2.1:5681",
                                    "--token-file", self.token)
        self.assertEqual(code, 2, err)
        self.assertIn("not sent in the clear", err)
        server, url = self.serve(None)
        self.ctl(0, "version", "--server", url.replace("https", "http"),
                 "--token-file", self.token)
        self.assertIn("Authorization", server.asked[-1][2])

    def test_token_files(self):
        _, url = self.serve(None)
        for path, why in (
            (self.dir + "/absent", "No such file"),
            (self.file("open", "abc", 0o644), "must be private"),
            (self.file("void", "\n", 0o600), "holds no token"),
            (self.file("two", "abc\ndef\n", 0o600), "holds no token"),
            (self.file("odd", "abc\r\nX: y", 0o600), "holds no token"),
            (self.file("long", "a" * 5000, 0o600), "holds no token"),
        ):
            code, _, err = self.run_ctl("version", "--server", url.replace("https", "http"),
                                        "--token-file", path)
            self.assertEqual(code, 10, err)
            self.assertIn(why, err)

    def test_who_may_not(self):
        for status in (401, 403):
            _, url = self.serve(self.mesh.server("URI:spiffe://zonelink/global"), status)
            self.ctl(6, "version", "--server", url, "--ca", self.mesh.ca)


class Tokens(Served):
    def test_create(self):
        made = {"token": "a.b.c", "id": "0" * 32, "name": "ann", "role": "viewer",
                "expires": "2030-01-01T00:00:00.000000Z"}
        self.says("POST /_tokens/user", 201, made)
        args = ("token", "create", "--user", "ann", "--role", "viewer", "--ttl", "24h")
        self.assertEqual(self.ctl(0, *args), "a.b.c\n")
        self.assertEqual(self.server.asked[-1][3],
                         b'{"name":"ann","role":"viewer","ttl":"24h"}')
        self.assertEqual(self.ctl_json(0, *args), made)
        self.ctl(2, "token", "create", "--user", "ann")
        self.ctl(2, "token", "create", "--dataplane", "web-01", "--service", "web")
        self.ctl(2, "token", "create", "--service", "web", "--name", "x")
        self.ctl(2, "token", "create")
        self.ctl(2, "token", "burn", "x")

    def test_create_for_proxies(self):
        made = {"token": "a.b.c", "id": "0" * 32}
        for flags, path, body in (
                (("--dataplane", "web-01"), "dataplane",
                 {"mesh": "default", "name": "web-01"}),
                (("--service", "web", "--mesh", "m", "--ttl", "24h"), "dataplane",
                 {"mesh": "m", "service": "web", "ttl": "24h"}),
                (("--zone-proxy", "ingress"), "zone-proxy", {"proxy": "ingress"}),
                (("--zone-proxy", "ingress", "--name", "in-1"), "zone-proxy",
                 {"proxy": "ingress", "name": "in-1"})):
            self.says(f"POST /_tokens/{path}", 201, made)
            self.assertEqual(self.ctl(0, "token", "create", *flags), "a.b.c\n")
            self.assertEqual(json.loads(self.server.asked[-1][3]), body)

    def test_revoke(self):
        self.says("POST /_tokens/_revoke", 200, {"id": "0" * 32, "result": "revoked"})
        self.assertEqual(self.ctl(0, "token", "revoke", "0" * 32),
                         f"token {'0' * 32} revoked\n")
        self.assertEqual(self.server.asked[-1][3], b'{"id":"%s"}' % (b"0" * 32))
        self.ctl(2, "token", "revoke")


main()

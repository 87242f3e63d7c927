"""A server that answers by a script, and zonelinkctl asking it."""

import http.server
import json
import os
import socketserver
import threading

from ctl import Case


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        self.server.asked.append((self.command, self.path, dict(self.headers), body))
        absent = (404, {"title": "Not Found", "detail": "no"})
        script = self.server.script
        key = f"{self.command} {self.path}"
        status, answer = script.get(key, script.get("*", absent))
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if data:
            self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_DELETE = answer

    def log_message(self, *args):
        pass

    def address_string(self):
        return "unix"


class Unix(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class Tcp(http.server.ThreadingHTTPServer):
    pass


class Served(Case):
    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.dir, "s")
        self.server = Unix(self.path, Handler)
        self.server.script = {}
        self.server.asked = []
        self.server.server_name, self.server.server_port = "unix", 0
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.env["ZONELINK_SERVER"] = "unix:" + self.path

    def tearDown(self):
        self.server.shutdown()
        self.server.server_close()
        super().tearDown()

    def says(self, request, status, answer):
        self.server.script[request] = (status, answer)

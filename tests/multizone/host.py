#!/usr/bin/python3
"""The main process of a host of the world: an echo server, and the program that is there.

  host.py FOLDER            be what FOLDER/host.json says, from the moment it is there
  host.py --healthy FOLDER  exit 0 if the host waits for that file, or its program is ready

host.json: {"name": what the echo server answers, "echo": its port, or null,
"command": argv, or null, "ready": a file that the program writes, or "admin": the unix
socket of an Envoy}. When the program ends so does the host, with its status; SIGTERM is
handed on to it. It runs inside the host, so it needs nothing but Python.
"""
import asyncio
import contextlib
import http.client
import json
import os
import resource
import signal
import socket
import sys
import time


class AdminConnection(http.client.HTTPConnection):
    """HTTP over the unix socket of an Envoy."""

    def __init__(self, path):
        super().__init__("localhost", timeout=3)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def read(folder):
    """What the host is to be, or None."""
    try:
        with open(os.path.join(folder, "host.json"), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def is_healthy(folder):
    """True if it waits, or is ready."""
    wanted = read(folder)
    if wanted is None or not wanted["command"]:
        return True
    if "ready" in wanted:
        return os.path.exists(wanted["ready"])
    connection = AdminConnection(wanted["admin"])
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False


async def echo(name, reader, writer):
    """Answer a connection: with the name and all that comes, or with it as a page."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        data = await reader.read(4096)
        if data.startswith((b"GET ", b"HEAD ")):
            while data:
                while data and b"\r\n\r\n" not in data:
                    more = await reader.read(4096)
                    data = data + more if more else b""
                if data:
                    data = data.split(b"\r\n\r\n", 1)[1]
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s"
                                 % (len(name), name))
                    data = data or await reader.read(4096)
        else:
            writer.write(name + b"\n")
            while data:
                writer.write(data)
                await writer.drain()
                data = await reader.read(4096)
    writer.close()


async def serve(wanted):
    """Serve until the program ends or SIGTERM comes; the status to exit with."""
    over, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    if wanted["echo"]:
        name = wanted["name"].encode()
        await asyncio.start_server(lambda r, w: echo(name, r, w), ["0.0.0.0", "::"],
                                   wanted["echo"], backlog=4096)
    if not wanted["command"]:
        await over.wait()
        return 0
    # If this process is killed its program must not live on.
    child = await asyncio.create_subprocess_exec(
        "setpriv", "--pdeathsig", "KILL", "--", *wanted["command"])
    end, told = asyncio.ensure_future(child.wait()), asyncio.ensure_future(over.wait())
    await asyncio.wait((end, told), return_when=asyncio.FIRST_COMPLETED)
    if not end.done():
        child.terminate()
    return await end


def main():
    """Be a host, or say how it is."""
    if sys.argv[1] == "--healthy":
        return 0 if is_healthy(sys.argv[2]) else 1
    folder = sys.argv[1]
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while (wanted := read(folder)) is None:
        time.sleep(0.05)
    log = os.open(os.path.join(folder, "log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    return asyncio.run(serve(wanted))


if __name__ == "__main__":
    sys.exit(main())

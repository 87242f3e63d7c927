#!/usr/bin/python3
"""What a client host runs: it connects, asks who answers, and prints JSON.

  client.py count ADDRESS PORT COUNT   fresh connections, --parallel at a time, and who
                                       answered: {"names", "failures", "errors", "seconds"}
  client.py hold ADDRESS PORT COUNT    open them and keep them, a byte now and then
  client.py load ADDRESS PORT          fresh connections until it is told to stop
  client.py peer ADDRESS PORT          {"certificate": PEM} that a TLS server shows, or null

hold and load print a line, and another for each line that they read: `check` (every held
connection exchanges a byte now), `status`, `stop`. They end with their standard input.
Connections are plain; --tls NAME, --http HOST and --alpn change that. It runs inside the
host, so it needs nothing but Python.
"""
import argparse
import asyncio
import collections
import contextlib
import json
import resource
import socket
import ssl
import sys
import threading
import time

SECONDS = 10.0  # for a connection to be answered
HELLO = b"hello, who are you?\n"  # long enough to be seen not to be TLS


def context_of(args):
    """How to speak TLS, or None."""
    if not args.tls and args.command != "peer":
        return None
    context = ssl.create_default_context(cafile=args.ca)
    if not args.ca:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if args.alpn:
        context.set_alpn_protocols([args.alpn])
    return context


def say(value):
    """Print a line of JSON at once."""
    print(json.dumps(value), flush=True)


class Tally:
    """Who answered, and what went wrong, counted by several threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.names, self.errors = collections.Counter(), collections.Counter()
        self.begin, self.last_failed = time.monotonic(), None

    def add(self, name, error, begun):
        """Count a connection."""
        with self.lock:
            if error:
                self.errors[error] += 1
                self.last_failed = max(self.last_failed or 0, round(begun - self.begin, 3))
            else:
                self.names[name] += 1

    def report(self):
        """All of it, to be printed."""
        with self.lock:
            return {"names": dict(self.names), "errors": dict(self.errors),
                    "failures": self.errors.total(), "last_failed": self.last_failed,
                    "seconds": round(time.monotonic() - self.begin, 3)}


def until(link, mark):
    """What comes up to the mark, and what came after it."""
    data = b""
    while mark not in data:
        part = link.recv(4096)
        if not part:
            raise ConnectionError(f"closed after {len(data)} bytes")
        data += part
    return data.split(mark, 1)


def ask_http(link, host):
    """The page of a server; it is its name."""
    link.sendall(f"GET / HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
    head, body = until(link, b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    if " 200" not in lines[0]:
        raise ConnectionError(lines[0])
    sizes = [line.split(":")[1] for line in lines if line.startswith("content-length:")]
    while len(body) < int(sizes[0]):
        body += link.recv(4096) or b" "
    return body.decode()


def ask(args, context):
    """One connection: (who answered, None), or (None, what went wrong)."""
    try:
        with socket.create_connection((args.address, args.port), SECONDS) as plain, \
                (context.wrap_socket(plain, server_hostname=args.tls) if context
                 else plain) as link:
            if args.http:
                return ask_http(link, args.http), None
            link.sendall(HELLO)
            return until(link, b"\n")[0].decode(), None
    except OSError as error:
        return None, f"{type(error).__name__}: {error}"


def in_threads(args, work):
    """Run work in so many threads; they are returned."""
    threads = [threading.Thread(target=work, daemon=True) for _ in range(args.parallel)]
    for thread in threads:
        thread.start()
    return threads


def count(args):
    """COUNT connections."""
    tally, context, left = Tally(), context_of(args), iter(range(args.count))
    lock = threading.Lock()

    def work():
        while True:
            with lock:
                if next(left, None) is None:
                    return
            begun = time.monotonic()
            tally.add(*ask(args, context), begun)

    for thread in in_threads(args, work):
        thread.join()
    say(tally.report())


def load(args):
    """Connections until `stop`; --rate limits how many in a second, of all threads."""
    tally, context, over = Tally(), context_of(args), threading.Event()
    pause = args.parallel / args.rate if args.rate else 0

    def work():
        while not over.is_set():
            begun = time.monotonic()
            tally.add(*ask(args, context), begun)
            if pause:
                over.wait(max(0, begun + pause - time.monotonic()))

    threads = in_threads(args, work)
    say(tally.report())
    for line in sys.stdin:
        if line.strip() == "stop":
            break
        say(tally.report())
    over.set()
    for thread in threads:
        thread.join()
    say(tally.report())


class Held:
    """COUNT open connections in one thread."""

    def __init__(self, args):
        self.args, self.links = args, {}
        self.names, self.errors = collections.Counter(), collections.Counter()

    async def open(self):
        """Open one and read the greeting."""
        try:
            link = await asyncio.wait_for(asyncio.open_connection(
                self.args.address, self.args.port, limit=64), SECONDS)
            link[1].write(HELLO)
            name = await asyncio.wait_for(link[0].readuntil(b"\n"), SECONDS)
            await asyncio.wait_for(link[0].readexactly(len(HELLO)), SECONDS)
            self.names[name.decode().strip()] += 1
            self.links[link] = asyncio.Lock()
        except (OSError, EOFError, asyncio.TimeoutError) as error:
            self.errors[f"{type(error).__name__}: {error}"] += 1

    async def open_all(self):
        """Open all of them, --parallel at a time."""
        turns = asyncio.Semaphore(self.args.parallel)

        async def open_one():
            async with turns:
                await self.open()

        await asyncio.gather(*(open_one() for _ in range(self.args.count)))

    async def exchange(self, link):
        """A byte there and back; what does not answer is no longer held."""
        try:
            async with self.links[link]:
                link[1].write(b"?")
                await asyncio.wait_for(link[0].readexactly(1), SECONDS)
        except (OSError, EOFError, asyncio.TimeoutError, KeyError) as error:
            if self.links.pop(link, None):
                self.errors[f"{type(error).__name__}: {error}"] += 1
                link[1].close()

    async def keep(self):
        """Exchange a byte on every connection in each interval, spread over it."""
        while True:
            links = list(self.links)
            for link in links:
                await self.exchange(link)
                await asyncio.sleep(self.args.interval / len(links))
            await asyncio.sleep(0 if links else self.args.interval)

    def report(self):
        """All of it, to be printed."""
        return {"alive": len(self.links), "names": dict(self.names),
                "errors": dict(self.errors)}


async def hold(args):
    """Hold COUNT connections and answer what is asked about them."""
    held, loop = Held(args), asyncio.get_running_loop()
    await held.open_all()
    say(held.report())
    keeper = asyncio.create_task(held.keep())
    while (line := await loop.run_in_executor(None, sys.stdin.readline)).strip() != "stop":
        if not line:
            break
        if line.strip() == "check":
            await asyncio.gather(*(held.exchange(link) for link in list(held.links)))
        say(held.report())
    keeper.cancel()
    say(held.report())
    for link in held.links:
        link[1].close()


def peer(args):
    """The certificate that a server shows to who does not check it."""
    certificate = None
    with contextlib.suppress(OSError), \
            socket.create_connection((args.address, args.port), SECONDS) as plain, \
            context_of(args).wrap_socket(plain, server_hostname=args.tls) as link:
        certificate = ssl.DER_cert_to_PEM_cert(link.getpeercert(binary_form=True))
    say({"certificate": certificate})


def main():
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("count", "hold", "load", "peer"))
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("count", type=int, nargs="?", default=1)
    parser.add_argument("--parallel", type=int, default=8)
    parser.add_argument("--interval", type=float, default=5.0, help="hold: seconds")
    parser.add_argument("--rate", type=float, default=0, help="load: connections a second")
    parser.add_argument("--tls", metavar="NAME", help="of the server, also its SNI")
    parser.add_argument("--ca", metavar="FILE", help="who signs servers; without: anybody")
    parser.add_argument("--alpn", metavar="PROTOCOL")
    parser.add_argument("--http", metavar="HOST", help="ask for a page in place of an echo")
    args = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if args.command == "hold":
        asyncio.run(hold(args))
    else:
        {"count": count, "load": load, "peer": peer}[args.command](args)


if __name__ == "__main__":
    main()

"""Networks that fail: a proxy that spoils what passes it, and a network of one's own.

The proxy stands between a zone and its global and knows nothing of what it carries. What
the kernel can do better (lose packets, forget a peer) is done in a network namespace of
the scenario's own, so that no rule of ours touches the machine.
"""
import asyncio
import ctypes
import multiprocessing
import os
import random
import shutil
import socket
import struct
import subprocess
import threading
import time

HELLO = bytes.fromhex("1603010200010001fc0303") + bytes(501)  # TLS, without an end
NO_LINGER = struct.pack("ii", 1, 0)  # close() resets
CLONE_NEWNET = 0x40000000
UP, DOWN = "up", "down"  # towards the target, and back


class Link:
    """One connection through the proxy: two sockets, two directions."""

    def __init__(self, client, target):
        self.writers = {UP: target, DOWN: client}
        self.dead = False  # what comes is swallowed, for ever


class FaultProxy:
    """A TCP proxy on loopback whose faults are switched while it runs.

    hold() keeps what comes, as a partition does: senders fill their buffers, and after
    release() everything arrives. forget() swallows all of the connections there are and
    tells nobody, as a machine that vanished. cut() resets. refuse() resets at once who
    connects. shape() delays each piece, with jitter, and limits the bytes per second.
    """

    def __init__(self, target):
        self.aim(target)
        self.links, self.dice = [], random.Random(5)
        self.delay = self.jitter = self.rate = 0
        self.refusing = False
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.address = self._run(self._listen())

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def _do(self, function):
        async def call():
            return function()
        return self._run(call())

    async def _listen(self):
        self.flowing = {UP: asyncio.Event(), DOWN: asyncio.Event()}
        for event in self.flowing.values():
            event.set()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    async def _serve(self, reader, writer):
        if self.refusing:
            reset(writer)
            return
        await self.flowing[UP].wait()  # a lost SYN: the other side hears of nobody
        try:
            back, forth = await asyncio.open_connection(*self.target)
        except OSError:
            reset(writer)
            return
        link = Link(writer, forth)
        self.links.append(link)
        await asyncio.gather(self._pump(link, UP, reader), self._pump(link, DOWN, back))
        self.links.remove(link)
        for end in link.writers.values():
            end.close()

    async def _pump(self, link, way, reader):
        """Carry one direction until its end, the pieces in order and each in its time."""
        pieces, piece = asyncio.Queue(64), b"?"
        carrier = asyncio.create_task(self._carry(link, way, pieces))
        while piece:
            try:
                piece = await reader.read(16384)
            except OSError:
                piece = None  # reset
            later = self.delay + self.jitter * self.dice.random()
            await pieces.put((self.loop.time() + later, piece))
        await carrier

    async def _carry(self, link, way, pieces):
        piece = b"?"
        while piece:
            due, piece = await pieces.get()
            await asyncio.sleep(max(0, due - self.loop.time()))
            await self.flowing[way].wait()
            if not link.dead:
                await self._write(link.writers[way], piece)

    async def _write(self, writer, piece):
        if piece is None:
            reset(writer)
        elif not piece:
            writer.close()
        try:
            while piece and not writer.is_closing():
                size = 64 if self.rate else len(piece)
                writer.write(piece[:size])
                await writer.drain()
                await asyncio.sleep(size / self.rate if self.rate else 0)
                piece = piece[size:]
        except OSError:
            pass  # that end is gone, which its own direction tells the other

    def aim(self, target):
        """Carry new connections to this HOST:PORT."""
        host, port = target.rsplit(":", 1)
        self.target = (host, int(port))

    def hold(self, *ways):
        """Let nothing pass in these directions, nor a new connection if up is one."""
        self._do(lambda: [self.flowing[way].clear() for way in ways or (UP, DOWN)])

    def release(self):
        """End of hold()."""
        self._do(lambda: [event.set() for event in self.flowing.values()])

    def forget(self):
        """The connections that are there now carry nothing any more, and never end."""
        def kill():
            for link in self.links:
                link.dead = True
        self._do(kill)

    def cut(self, count=None):
        """Reset both ends of so many connections, by chance; None: of all."""
        def cut():
            chosen = self.links if count is None else self.dice.sample(
                self.links, min(count, len(self.links)))
            for link in list(chosen):
                for writer in link.writers.values():
                    reset(writer)
        self._do(cut)

    def refuse(self, refusing=True):
        """Reset who connects from now on."""
        self._do(lambda: setattr(self, "refusing", refusing))

    def shape(self, delay=0.0, jitter=0.0, rate=0):
        """Delay what comes by delay to delay + jitter seconds; rate bytes per second."""
        def shape():
            self.delay, self.jitter, self.rate = delay, jitter, rate
        self._do(shape)


def reset(writer):
    """End a connection by RST."""
    link = writer.get_extra_info("socket")
    if link is not None:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    writer.transport.abort()


class Strangers:
    """While it is entered: a process that connects to a port 500 times a second, hangs up
    with RST somewhere in its greeting, and holds silent connections all the time. It
    comes from eight addresses, none of them a zone's."""

    def __init__(self, address, silent):
        host, port = address.rsplit(":", 1)
        self.target, self.silent = (host, int(port)), silent
        self.aborted = multiprocessing.Value("L", 0)
        self.child = multiprocessing.Process(target=self._knock, daemon=True)

    def _connect(self, dice):
        return socket.create_connection(self.target, 5, (f"127.0.9.{dice.randrange(8)}", 0))

    def _knock(self):
        dice, held = random.Random(9), []
        os.nice(10)  # as if on another machine
        while True:
            while len(held) < self.silent:
                held.append(self._connect(dice))
                held[-1].setblocking(False)
            held = [link for link in held if not is_over(link)]
            time.sleep(0.1)
            for _ in range(50):
                with self._connect(dice) as link:
                    link.sendall(HELLO[:dice.randrange(len(HELLO))])
                    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
                self.aborted.value += 1

    def wait(self, count):
        """Wait until so many have hung up; how many have."""
        while self.aborted.value < count:
            if not self.child.is_alive():
                raise RuntimeError("the strangers have ended")
            time.sleep(0.01)
        return self.aborted.value

    def __enter__(self):
        self.child.start()
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.join()


def is_over(link):
    """True once the other side has hung up."""
    try:
        return link.recv(64) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


class NoNetwork(Exception):
    """This machine gives us no network of our own; the text says why."""


class OwnNetwork:
    """A network namespace for this thread and all that it starts, with only loopback."""

    def __enter__(self):
        if shutil.which("iptables") is None:
            raise NoNetwork("no iptables: deploy/install-deps installs it")
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        if self.libc.unshare(CLONE_NEWNET) != 0:
            os.close(self.before)
            raise NoNetwork(f"no network namespace: {os.strerror(ctypes.get_errno())}")
        try:
            run("ip", "link", "set", "lo", "up")
            run("iptables", "-F")
        except (OSError, subprocess.CalledProcessError) as error:
            self.__exit__()
            raise NoNetwork(f"no rules in a network namespace: {error}") from None
        return self

    def __exit__(self, *_):
        self.libc.setns(self.before, CLONE_NEWNET)
        os.close(self.before)


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def drop(port, *ways, share=1.0):
    """Drop packets of this TCP port of loopback: up to its listener, down from it."""
    for way in ways or (UP, DOWN):
        chance = ["-m", "statistic", "--mode", "random", "--probability", str(share)]
        run("iptables", "-A", "INPUT", "-i", "lo", "-p", "tcp",
            "--dport" if way == UP else "--sport", str(port),
            *(chance if share < 1 else []), "-j", "DROP")


def dropped():
    """How many packets have been dropped since then."""
    text = subprocess.run(["iptables", "-nvxL", "INPUT"], check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return sum(int(line.split()[0]) for line in text.splitlines() if " DROP " in line)


def drop_nothing():
    """End of drop()."""
    run("iptables", "-F")

"""Connections that a client host makes: counted, held, or made all the time."""
import collections
import json
import threading

import local

SECONDS = 120  # for an answer of client.py; many connections may stand behind it


class Counts(collections.Counter):
    """How many connections each "zone/service/version" answered; failures, and errors as
    {text: count}; seconds that it took, and at which of them the last one that failed was
    begun, or None."""

    def __init__(self, report):
        super().__init__(report["names"])
        self.failures, self.errors = report["failures"], report["errors"]
        self.seconds, self.last_failed = report["seconds"], report["last_failed"]

    def by_zone(self):
        """{zone: count}."""
        zones = collections.Counter()
        for name, count in self.items():
            zones[name.split("/")[0]] += count
        return zones

    def __repr__(self):
        return f"{dict(self)}, {self.failures} failed{self.errors or ''}"


class Talk:
    """A client.py that runs on a host and is spoken with: a line there, a line back."""

    def __init__(self, world, host, *args):
        self.child = world.popen(host, *world.client_argv(*args))
        self.last = self._read()

    def _read(self):
        watch = threading.Timer(SECONDS, self.child.kill)
        watch.start()
        line = self.child.stdout.readline()
        watch.cancel()
        if not line:
            raise local.Failure(f"client.py ended: {self.child.stderr.read()[-2000:]}")
        return json.loads(line)

    def ask(self, word):
        """Say a word; the answer."""
        self.child.stdin.write(word + "\n")
        self.child.stdin.flush()
        self.last = self._read()
        return self.last

    def end(self):
        """Stop it, if it is not stopped; its last words."""
        if self.child.poll() is None:
            try:
                self.ask("stop")
            finally:
                self.child.stdin.close()
                self.child.wait(10)
        return self.last

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.end()
        else:
            self.child.kill()
            self.child.wait()


class Hold(Talk):
    """Open connections that exchange a byte now and then."""

    def __init__(self, world, host, address, port, count, *args):
        self.count = count
        super().__init__(world, host, "hold", address, str(port), str(count), *args)
        if self.last["alive"] != count:
            self.child.kill()
            raise local.Failure(f"{self.last['alive']} of {count} connections could be "
                                f"opened: {self.last['errors']}")

    @property
    def names(self):
        """Who answered them when they were opened: {"zone/service/version": count}."""
        return collections.Counter(self.last["names"])

    def alive(self):
        """How many answer now: each has exchanged a byte."""
        return self.ask("check")["alive"]

    def cut(self):
        """How many have been cut since they were opened."""
        return self.count - self.alive()

    def close(self):
        """Close them."""
        self.end()


class Load(Talk):
    """New connections all the time."""

    def __init__(self, world, host, address, port, *args):
        super().__init__(world, host, "load", address, str(port), *args)

    def counts(self):
        """Counts until now."""
        return Counts(self.ask("status"))

    def stop(self):
        """End it; Counts of all."""
        return Counts(self.end())

"""The hosts of the world: their folders, processes and networks, whatever their form."""
import concurrent.futures
import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile

import local
import world_documents as documents
from world_documents import WAN, proxy_of


class Hosts:
    """What a form of the world must do, and what both do alike."""

    form = None            # "namespaces" or "docker"
    run_folder = None      # a host's folder as the host sees it; None: as we see it
    data_folder = "data"   # of stores, in a host; relative to the host's folder

    def __init__(self, family, keep):
        self.topology = documents.Topology(family)
        self.keep = keep
        self.folder = tempfile.mkdtemp(prefix="zonelink-world-")
        self.running = set()   # hosts that should run
        self.severed = set()   # zones whose WAN is cut
        self.faults = []       # what the ends and logs of programs say against them

    # -- what a form does ----------------------------------------------------------------

    def _make(self):
        """Make networks and hosts; nothing runs on them."""
        raise NotImplementedError

    def _unmake(self):
        """Remove all that _make() made and whatever runs on it, however far it came."""
        raise NotImplementedError

    def _begin(self, host):
        """Let the host's main process run."""
        raise NotImplementedError

    def _end(self, host, number):
        """Send its main process a signal and wait for the end; its status, or None."""
        raise NotImplementedError

    def alive(self, host):
        """True while the host's main process runs."""
        raise NotImplementedError

    def popen(self, host, *argv):
        """Start a program on a host, with pipes of text; a subprocess.Popen. It should end
        with its standard input: to kill it may only kill who carries its pipes."""
        raise NotImplementedError

    def client_argv(self, *args):
        """The command of client.py on a host."""
        raise NotImplementedError

    def _network(self, host):
        """Path of the network namespace of a host that lives."""
        raise NotImplementedError

    def data_path(self, host):
        """Path of the data of `global` or `Z-cp`, as we see it."""
        return self.path(host, self.data_folder)

    def _program(self, name):
        """Path of a program on a host: envoy, host.py, client.py, zonelink-*."""
        raise NotImplementedError

    # -- files ------------------------------------------------------------------------------

    def path(self, host, *names):
        """Path of a file in the folder of a host, as we see it."""
        return os.path.join(self.folder, host, *names)

    def inside(self, host, *names):
        """The same path as the host sees it."""
        return os.path.join(self.run_folder or self.path(host), *names)

    def log(self, host):
        """All that the host's program has logged."""
        with contextlib.suppress(FileNotFoundError), \
                open(self.path(host, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()
        return ""

    def _read_log(self, host):
        parts = re.split(f"({'|'.join(local.REPORTS)})", self.log(host))
        self.faults += [f"{host}: {mark}{text[:4000]}" for mark, text
                        in zip(parts[1::2], parts[2::2]) if not local.is_of_nng(text)]

    def _write(self, host, name, text):
        path = self.path(host, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".tmp", "w", encoding="utf-8", opener=local.private) as file:
            file.write(text if isinstance(text, str) else json.dumps(text))
        os.rename(path + ".tmp", path)

    # -- processes --------------------------------------------------------------------------

    def _is_ready(self, host):
        if not self.alive(host):
            raise local.Failure(f"{host} ended:\n{self.log(host)[-3000:]}")
        if not proxy_of(host):
            return os.path.exists(self.path(host, "ready"))
        try:
            return local.request(f"unix:{self.path(host, 'admin')}", "GET", "/ready")[0] == 200
        except OSError:
            return False

    def _wait_ready(self, host):
        local.wait_for(f"{host} is ready", lambda: self._is_ready(host), 60)

    def kill(self, *hosts):
        """SIGKILL of all that runs on these hosts, of all at once."""
        self._end_all(hosts, signal.SIGKILL)

    def stop(self, *hosts):
        """A graceful end; {host: exit status}."""
        return self._end_all(hosts, signal.SIGTERM)

    def _end_all(self, hosts, number):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            return dict(zip(hosts, pool.map(lambda host: self._end(host, number), hosts)))

    def tails(self):
        """Print the last lines of the logs of what does not run and should."""
        for host in sorted(self.running):
            if not self.alive(host):
                print(f"--- {host}\n{self.log(host)[-3000:]}", flush=True)

    def run(self, host, *argv, code=0, seconds=120):
        """Run a program on a host; its standard output."""
        child = self.popen(host, *argv)
        try:
            out, err = child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            out, err = child.communicate()
            raise local.Failure(f"{host}: {argv}: no end in {seconds} s\n{out}{err}") from None
        if child.returncode != code:
            raise local.Failure(f"{host}: {argv}: exit {child.returncode}, not {code}\n"
                                f"{out}{err}")
        return out

    # -- the network ------------------------------------------------------------------------

    def address(self, host, network=None):
        """Its address in its zone's network, or in another, such as "wan"."""
        return self.topology.address(host, network)

    def cut_wan(self, zone):
        """Cut a zone off: what its hosts and the WAN send each other vanishes, and nobody
        is told."""
        self.severed.add(zone)
        self._filter(self.topology.zone_hosts(zone, WAN), self._cut_rules())

    def mend_wan(self, zone):
        """End of cut_wan()."""
        self.severed.discard(zone)
        self._filter(self.topology.zone_hosts(zone, WAN), "iptables -w -F; ip6tables -w -F")

    def _cut_rules(self):
        return "; ".join(
            f"{tool} -w -A INPUT ! -i lo -s {subnet} -j DROP; "
            f"{tool} -w -A OUTPUT ! -o lo -d {subnet} -j DROP"
            for tool, subnet in zip(("iptables", "ip6tables"), self.topology.networks[WAN]))

    def _filter(self, hosts, script):
        """Do what a script says in the networks of hosts that live, in all of them at once."""
        ends = [subprocess.Popen(["nsenter", f"--net={self._network(host)}", "sh", "-ec",
                                  script], stderr=subprocess.PIPE, text=True)
                for host in hosts if self.alive(host)]
        for end in ends:
            _, text = end.communicate()
            if end.returncode != 0:
                raise local.Failure(f"the network is not cut or mended: {text}")

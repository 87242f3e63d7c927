"""The world in network namespaces: a namespace for each host, bridges for the networks.

The namespaces have no names. They are held by file descriptors of this process and by the
programs in them, which are killed when this process ends, however it ends: nothing is ever
left over, and two worlds do not meet. The bridges stand in a namespace of their own.
"""
import concurrent.futures
import ctypes
import os
import shutil
import signal
import subprocess
import sys

import local
from network import CLONE_NEWNET, NoNetwork
from world import World

HERE = os.path.dirname(os.path.abspath(__file__))


class NamespaceWorld(World):
    """Hosts are network namespaces; their programs run on this machine's files."""

    form = "namespaces"

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.namespaces, self.children = {}, {}
        # A program is killed when the *thread* that started it ends: this one stays.
        self.thread = concurrent.futures.ThreadPoolExecutor(1)
        self.libc = ctypes.CDLL(None, use_errno=True)

    def _within(self, namespace, function):
        """Call a function in a namespace, in the one thread that changes its own."""
        def call():
            before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            try:
                self._check(self.libc.setns(namespace, CLONE_NEWNET))
                return function()
            finally:
                self.libc.setns(before, CLONE_NEWNET)
                os.close(before)
        return self.thread.submit(call).result()

    @staticmethod
    def _check(result):
        if result != 0:
            raise NoNetwork(f"no network namespace: {os.strerror(ctypes.get_errno())}")

    def _new_namespace(self):
        def make():
            before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            try:
                self._check(self.libc.unshare(CLONE_NEWNET))
                return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            finally:
                self.libc.setns(before, CLONE_NEWNET)
                os.close(before)
        return self.thread.submit(make).result()

    def _ip(self, namespace, lines):
        """Do what these lines tell ip(8) in a namespace."""
        def call():
            done = subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True,
                                  capture_output=True, check=False)
            if done.returncode != 0:
                raise NoNetwork(f"no network of our own: ip: {done.stderr.strip()}")
        self._within(namespace, call)

    def _make(self):
        for tool in ("ip", "iptables", "ip6tables", "nsenter", "setpriv"):
            if shutil.which(tool) is None:
                raise NoNetwork(f"no {tool}: deploy/install-deps installs it")
        switch = self.namespaces[""] = self._new_namespace()
        lines = [f"link add {name} up type bridge mcast_snooping 0"
                 for name in self.topology.networks]
        for number, (host, legs) in enumerate(self.topology.hosts.items()):
            self.namespaces[host] = self._new_namespace()
            for leg in legs:
                lines += [f"link add {leg}-{number} up master {leg} type veth peer name {leg} "
                          f"netns {self._network(host)}"]
        self._ip(switch, lines)
        for host, legs in self.topology.hosts.items():
            lines = ["link set lo up"]
            for leg, addresses in legs.items():
                lines += [f"addr add {addresses['ipv4_address']}/24 dev {leg}",
                          f"addr add {addresses['ipv6_address']}/64 dev {leg} nodad",
                          f"link set {leg} up"]
            self._ip(self.namespaces[host], lines)
            self._within(self.namespaces[host], self._write_sysctls)

    def _write_sysctls(self):
        for key, value in self.topology.sysctls.items():
            with open("/proc/sys/" + key.replace(".", "/"), "w", encoding="ascii") as file:
                file.write(value)

    def _unmake(self):
        for child in self.children.values():
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        for namespace in self.namespaces.values():
            os.close(namespace)
        self.namespaces.clear()
        self.thread.shutdown()

    def _program(self, name):
        if name == "envoy":
            return local.find_envoy()
        return os.path.join(HERE if name.endswith(".py") else self.bin, name)

    def client_argv(self, *args):
        return [sys.executable, self._program("client.py"), *args]

    def _spawn(self, host, argv, **options):
        argv = ["setpriv", "--pdeathsig", "KILL", "--", *argv]
        return self._within(self.namespaces[host], lambda: subprocess.Popen(
            argv, start_new_session=True, **options))

    def popen(self, host, *argv):
        return self._spawn(host, argv, text=True, stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def _begin(self, host):
        with open(self.path(host, "log"), "ab") as log:
            self.children[host] = self._spawn(
                host, [sys.executable, self._program("host.py"), self.path(host)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _end(self, host, number):
        child = self.children[host]
        if number == signal.SIGKILL:
            os.killpg(child.pid, number)
        else:
            child.send_signal(number)
        try:
            return child.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            return child.wait(10)

    def alive(self, host):
        return host in self.children and self.children[host].poll() is None

    def _network(self, host):
        return f"/proc/{os.getpid()}/fd/{self.namespaces[host]}"

"""The world in containers, brought up from docker-compose.yml.

A daemon that runs is used; otherwise, where we may, one is started that keeps its images
in build/docker and touches no rule of the machine, and ended with the world. The network is
cut in the containers' own namespaces, from outside: they need no rights for it.
"""
import contextlib
import glob
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time

import local
from network import NoNetwork
from world import World

HERE = os.path.dirname(os.path.abspath(__file__))
DOCKER = os.path.join(HERE, "docker")
DATA = os.path.join(local.ROOT, "build", "docker")
DEBIAN = "debian:bookworm-slim"
MINUTE = 60


class NoDocker(NoNetwork):
    """This machine runs no containers for us; the text says why."""


def call(*argv, seconds=10 * MINUTE, **options):
    """Run a command; its standard output. Failure with its last words if it fails."""
    done = subprocess.run(argv, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False, timeout=seconds, **options)
    if done.returncode != 0:
        raise local.Failure(f"{' '.join(argv[:3])}: "
                            f"{(done.stderr or done.stdout)[-2000:].strip()}")
    return done.stdout


def succeeds(*argv, seconds=MINUTE):
    """True if a command ends well, in time."""
    try:
        call(*argv, seconds=seconds)
        return True
    except (local.Failure, subprocess.TimeoutExpired, FileNotFoundError):
        return False


class DockerDaemon:
    """The daemon that is there, or one of our own; end() ends only ours."""

    def __init__(self):
        self.own = self.folder = self.name = None
        if shutil.which("docker") is None:
            raise NoDocker("no docker: deploy/install-deps --docker installs it")
        self.compose = self._find_compose()
        if os.geteuid() != 0:
            raise NoDocker("only root can cut the network of a container")
        if not succeeds("docker", "info", "--format", "{{.ServerVersion}}"):
            self._start()

    @staticmethod
    def _find_compose():
        for argv in (["docker", "compose"], ["docker-compose"]):
            if succeeds(*argv, "version"):
                return argv
        raise NoDocker("no docker-compose: deploy/install-deps --docker installs it")

    def _start(self):
        if shutil.which("dockerd") is None:
            raise NoDocker("no docker daemon runs, and there is no dockerd to start")
        self.folder = tempfile.mkdtemp(prefix="zonelink-docker-")
        self.name = os.path.basename(self.folder)
        host = f"unix://{self.folder}/socket"
        self.own = local.Process(
            ["setsid", "setpriv", "--pdeathsig", "TERM", "--", "dockerd", "-H", host,
             "--data-root", DATA, "--exec-root", f"{self.folder}/exec",
             "--pidfile", f"{self.folder}/pid", "--bridge=none", "--iptables=false",
             "--ip6tables=false", "--ip-forward=false", f"--cgroup-parent=/{self.name}"],
            f"{self.folder}/log")
        os.environ["DOCKER_HOST"] = host
        try:
            local.wait_for("dockerd answers", self._answers, 30)
        except local.Failure as failure:
            text = f"no dockerd can be started: {failure}\n{self.own.tail(5)}"
            self.end()
            raise NoDocker(text) from None
        # A run that was killed may have left containers and networks in its records.
        call("docker", "system", "prune", "--force", "--volumes")
        old = call("docker", "images", "-q", "zonelink-world").split()
        if old:
            call("docker", "rmi", "--force", *old)

    def _answers(self):
        if not self.own.alive():
            raise local.Failure("it has ended")
        time.sleep(0.2)
        return succeeds("docker", "info")

    def _mounts(self):
        with open("/proc/mounts", encoding="utf-8") as file:
            paths = [line.split()[1] for line in file]
        return [path for path in reversed(paths) if path.startswith(f"{self.folder}/")]

    def end(self):
        """End it, if it is ours."""
        if self.own is not None:
            self.own.end(seconds=30)
            self.own = None
            for path in self._mounts():  # it leaves the machine's namespace there
                succeeds("umount", path)
            for group in glob.glob(f"/sys/fs/cgroup/**/{self.name}", recursive=True):
                os.rmdir(group)
            shutil.rmtree(self.folder, ignore_errors=True)
            del os.environ["DOCKER_HOST"]


def base_image():
    """Debian with what the programs need, made once: its name."""
    text = b""
    for name in ("Dockerfile.base", "packages"):
        with open(os.path.join(DOCKER, name), "rb") as file:
            text += file.read()
    image = f"zonelink-world-base:{hashlib.sha256(text).hexdigest()[:12]}"
    if succeeds("docker", "image", "inspect", image):
        return image
    with contextlib.suppress(local.Failure, subprocess.TimeoutExpired):
        if not succeeds("docker", "image", "inspect", DEBIAN):
            call("docker", "pull", DEBIAN, seconds=2 * MINUTE)
        call("docker", "build", "--network", "host", "-f", f"{DOCKER}/Dockerfile.base",
             "-t", image, DOCKER)
        return image
    return debootstrap(image)


def debootstrap(image):
    """The same where no registry is reached: from the Debian mirror of this machine."""
    if shutil.which("debootstrap") is None:
        raise NoDocker(f"{DEBIAN} cannot be had, and there is no debootstrap: "
                       "deploy/install-deps --docker installs it")
    suite = DEBIAN.split(":")[1].split("-")[0]
    mirrors = call("apt-get", "indextargets", "--format", "$(REPO_URI)",
                   "Created-By: Packages", f"Codename: {suite}", "Component: main").split()
    if not mirrors:
        raise NoDocker(f"{DEBIAN} cannot be had, and apt has no mirror of {suite}")
    with open(os.path.join(DOCKER, "packages"), encoding="ascii") as file:
        packages = ",".join(file.read().split())
    with tempfile.TemporaryDirectory(prefix="zonelink-base-") as folder:
        call("debootstrap", "--variant=minbase", f"--include={packages}", suite, folder,
             mirrors[0])
        shutil.rmtree(f"{folder}/var/cache/apt/archives", ignore_errors=True)
        with subprocess.Popen(["tar", "-C", folder, "-c", "."],
                              stdout=subprocess.PIPE) as archive:
            call("docker", "import", "-", image, stdin=archive.stdout)
    return image


class DockerWorld(World):
    """Hosts are the containers of docker-compose.yml."""

    form = "docker"
    run_folder = "/run/zonelink"
    data_folder = "/var/lib/zonelink"

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.project = os.path.basename(self.folder).replace("_", "-").lower()
        self.image = f"zonelink-world:{self.project}"
        self.label = f"label=com.docker.compose.project={self.project}"
        self.daemon, self.containers, self.pids = None, {}, {}

    def _make(self):
        try:
            self.daemon = DockerDaemon()
            base = base_image()
        except (local.Failure, subprocess.TimeoutExpired) as failure:
            raise NoDocker(str(failure)) from None
        programs = os.path.join(self.folder, "programs")
        os.makedirs(programs)
        for name in ("zonelink-global", "zonelink-zone", "host.py", "client.py"):
            folder = HERE if name.endswith(".py") else self.bin
            shutil.copy(os.path.join(folder, name), programs)
        shutil.copy(local.find_envoy(), os.path.join(programs, "envoy"))
        call("docker", "build", "--build-arg", f"BASE={base}", "-t", self.image,
             "-f", f"{DOCKER}/Dockerfile", programs)
        shutil.rmtree(programs)
        self._compose("up", "-d")  # hosts wait to be told what they are
        lines = call("docker", "ps", "-a", "--no-trunc", "--filter", self.label, "--format",
                     '{{.Label "com.docker.compose.service"}} {{.ID}}').splitlines()
        self.containers = dict(line.split() for line in lines)
        for host in self.containers:
            self._find_pid(host)

    def _find_pid(self, host):
        self.pids[host] = int(call("docker", "inspect", "-f", "{{.State.Pid}}",
                                   self.containers[host]))

    def _compose(self, *args):
        return call(*self.daemon.compose, "-p", self.project,
                    "-f", os.path.join(HERE, "docker-compose.yml"), *args,
                    env={**os.environ, "ZL_WORLD": self.folder, "ZL_IMAGE": self.image})

    def _unmake(self):
        if self.daemon is None:
            return
        try:
            sick = call("docker", "ps", "--filter", self.label, "--filter", "health=unhealthy",
                        "--format", '{{.Label "com.docker.compose.service"}}').split()
            if sick:
                self.faults.append(f"not healthy: {sick}")
            self._compose("down", "-v", "--remove-orphans", "-t", "0")
            left = [call("docker", *words, "--filter", self.label).split() for words in
                    (("ps", "-aq"), ("network", "ls", "-q"), ("volume", "ls", "-q"))]
            if any(left):
                self.faults.append(f"left over of {self.project}: {left}")
            succeeds("docker", "rmi", self.image)
        finally:
            self.daemon.end()

    def data_path(self, host):
        return call("docker", "volume", "inspect", "-f", "{{.Mountpoint}}",
                    f"{self.project}_{host}").strip()

    def _program(self, name):
        return f"/opt/zonelink/{name}"

    def client_argv(self, *args):
        return ["python3", self._program("client.py"), *args]

    def popen(self, host, *argv):
        return subprocess.Popen(["docker", "exec", "-i", self.containers[host], *argv],
                                text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def _begin(self, host):
        if not self.alive(host):
            call("docker", "start", self.containers[host])
            self._find_pid(host)

    def _end(self, host, number):
        argv = ["kill"] if number == signal.SIGKILL else ["stop", "-t", "10"]
        call("docker", *argv, self.containers[host])
        return int(call("docker", "wait", self.containers[host]))

    def alive(self, host):
        return self.pids.get(host, 0) != 0 and os.path.exists(f"/proc/{self.pids[host]}")

    def _network(self, host):
        return f"/proc/{self.pids[host]}/ns/net"

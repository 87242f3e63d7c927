"""Runs the scenarios of the world: it comes up once for all of one family of addresses."""
import signal
import sys
import time
import traceback

import local
import network
from world_docker import DockerWorld
from world_namespaces import NamespaceWorld


def run(chosen, args):
    """Run scenarios of the world, and yield their names and results as they come."""
    if not chosen:
        return
    # Whoever ends us lets us take the world down; containers would stay.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    company = Company(args)
    try:
        for scenario in sorted(chosen, key=lambda s: s.family):
            begin = time.monotonic()
            status, text = company.run(scenario)
            yield scenario.name, (status, text, time.monotonic() - begin)
        faults = company.close()
        if faults:
            yield "world_ends", ("failed", faults, 0.0)
    finally:
        company.close()


class Company:
    """The scenarios that share a world, one after the other."""

    def __init__(self, args):
        self.args, self.world = args, None
        self.lack = None if local.find_envoy() else "no Envoy: deploy/install-deps says why"

    def run(self, scenario):
        """Run one; (status, text). A world that could not be brought back to its beginning
        is made anew for the next; one that this machine has not is tried once."""
        if self.lack:
            return "SKIPPED", self.lack
        try:
            text = scenario.function(self._world(scenario.family)) or ""
            self.world.reset()
            return "passed", text
        except network.NoNetwork as lack:
            self.lack = str(lack)
            return "SKIPPED", self.lack
        except local.Failure as failure:
            text = str(failure)
        except Exception:  # pylint: disable=broad-except  # a broken scenario is a failure
            text = traceback.format_exc()
        return "failed", f"{text}\n{self.close()}".strip()

    def _world(self, family):
        """The world, up, of this family."""
        if self.world and self.world.topology.family != family:
            faults = self.close()
            if faults:
                raise local.Failure(f"the world before ended badly: {faults}")
        if self.world is None:
            form = DockerWorld if self.args.docker else NamespaceWorld
            self.world = form(self.args.preset, family, self.args.keep).__enter__()
        return self.world

    def close(self):
        """Take the world down; what its programs' ends and logs say against them."""
        world, self.world = self.world, None
        if world is None:
            return ""
        world.tails()
        return "\n".join(world.down())

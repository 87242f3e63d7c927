"""Runs the scenarios of the world: it comes up once for all of one family."""
import time
import traceback

import local
import network
from world_docker import DockerWorld
from world_namespaces import NamespaceWorld



def make(args, family):
    """A world that is not up."""
    form = DockerWorld if args.docker else NamespaceWorld
    return form(args.preset, family, args.keep)


def run(chosen, args):
    """Run scenarios of the world, and yield their names and results as they come."""
    for family in sorted({scenario.family for scenario in chosen}):
        yield from Company([s for s in chosen if s.family == family], args, family).run()


class Company:
    """The scenarios that share a world."""

    def __init__(self, scenarios, args, family):
        self.scenarios, self.args, self.family = scenarios, args, family
        self.world = None

    def run(self):
        """Run them; a world that cannot be had, or be brought back to its beginning, is
        made anew for the next one."""
        for scenario in self.scenarios:
            begin = time.monotonic()
            status, text = self._run_one(scenario)
            if scenario is self.scenarios[-1] and self.world:
                faults = self._close()
                if faults:
                    status, text = "failed", f"{text}\n{faults}"
            yield scenario.name, (status, text, time.monotonic() - begin)

    def _run_one(self, scenario):
        if not local.find_envoy():
            return "SKIPPED", "no Envoy: deploy/install-deps says why"
        try:
            if self.world is None:
                world = make(self.args, self.family)
                self.world = world.__enter__()
            text = scenario.function(self.world) or ""
            self.world.reset()
            return "passed", text
        except network.NoNetwork as lack:
            return "SKIPPED", str(lack)
        except local.Failure as failure:
            text = str(failure)
        except Exception:  # pylint: disable=broad-except  # a broken scenario is a failure
            text = traceback.format_exc()
        except BaseException:
            self._close()
            raise
        return "failed", f"{text}\n{self._close()}".strip()

    def _close(self):
        """Take the world down, with what it was told by those who end; their faults."""
        world, self.world = self.world, None
        if world is None:
            return ""
        world.tails()
        return "\n".join(world.down())

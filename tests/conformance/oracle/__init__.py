"""What a set of documents means, computed a second time.

Written from the behaviour specification alone and on purpose without a look at the C
code: where the two differ, one of them misread the specification. Comments name the
section or the decision a line comes from: D and B rows and bare numbers are of the
specification of MeshTCPRoute, K rows and "kinds" of the page of the other kinds.

    python3 -m oracle --zone ZONE [--mesh MESH] FILE...
"""

import json
import re

from . import permissions
from .documents import Resource, parse
from .envoy import problems
from .envoy_zone import zone_problems
from .passages import inbound_passages, outbound_passages
from .violations import violations
from .world import World

__all__ = ['Resource', 'World', 'differences', 'parse', 'problems', 'routes',
           'violations', 'warning_problems', 'zone_proxies', 'zone_problems_of']


def routes(text, zone, mesh='default'):
    """The routes JSON of these documents, without its warnings. A reason whose text the
    specification does not give is `...`, which equals any."""
    return World(parse(text), zone, mesh).routes()


# A section of a check that another checker takes the place of
MAYBE = re.compile('MeshHealthCheck .* is routed as ')
OURS = re.compile('|'.join((
    'the route to "[^"]*" has [0-9]+ clusters', '" takes Mesh', ' is routed as ',
    'localOriginFailures has no effect without', 'totalFailures counts no',
    '(MeshTCPRoute|MeshHTTPRoute|no TrafficRoute) owns it', 'has no effect on tcp',
    'is let in: no MeshTrafficPermission', ' has no mTLS$', 'plain text connections are not')))


def warning_problems(world, said):
    """Where the warnings of W1 to W11 are not those of a world whose routes were made. What
    a reason is about is in front of it."""
    ours = [w for w in said if OURS.search(w) and not MAYBE.search(w)]
    return ['no warning: ' + reason for reason in sorted(world.warnings)
            if not any(w.endswith(reason) for w in said)] + [
        'a warning: ' + w for w in ours
        if not any(w.endswith(reason) for reason in world.warnings | world.maybe)]


def zone_proxies(resources, zone):
    """The ZoneIngresses and ZoneEgresses of this zone."""
    return [r for r in resources if r.kind in ('ZoneIngress', 'ZoneEgress') and
            (r.spec.get('zone') or r.labels.get('kuma.io/zone') or zone) == zone]


def zone_problems_of(resources, zone, proxy, config):
    """The lines of what is wrong with `-o envoy` of one of them: it serves all meshes
    with mTLS, an egress those that want one."""
    passages = {}
    for mesh in {r.name for r in resources if r.kind == 'Mesh'}:
        world = World(resources, zone, mesh)
        if proxy.kind == 'ZoneIngress' and world.services.has_mtls:
            passages.update(inbound_passages(world))
        if proxy.kind == 'ZoneEgress' and world.services.by_egress:
            passages.update(outbound_passages(world))
    return zone_problems(proxy, passages, config)


def differences(want, got, path=''):
    """Where `got` is not what the oracle says, as lines of text."""
    if want is ... and isinstance(got, str) and got:
        return []
    if isinstance(want, permissions.Permission) and isinstance(got, dict):
        return ['%s: %s' % (path, line) for line in permissions.differences(want, got)]
    if isinstance(want, dict) and isinstance(got, dict):
        out = []
        for key in sorted(set(want) | set(got)):
            out += differences(want.get(key, '(absent)'), got.get(key, '(absent)'),
                               '%s.%s' % (path, key))
        return out
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        return [line for i, (w, g) in enumerate(zip(want, got))
                for line in differences(w, g, '%s[%d]' % (path, i))]
    if type(want) is type(got) and want == got:
        return []
    return ['%s: want %s, got %s' % (path.lstrip('.') or '(top)', json.dumps(want, default=str),
                                     json.dumps(got, default=str))]

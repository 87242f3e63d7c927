"""What comes in to a proxy: who may come, and what policies say of it (policies 1.1 to 1.3)."""

from . import effects, merging, permissions
from .attached import in_order, shown
from .documents import HTTP, PROTOCOL, SERVICE

KINDS = ('MeshAccessLog', 'MeshCircuitBreaker', 'MeshTimeout')
PERMISSION = 'MeshTrafficPermission'


def served(proxy):
    return [(i, tags) for i, tags in zip(
        [i for i in proxy.net.get('inbound', []) if i.get('state', 'Ready') != 'Ignored'],
        proxy.tag_sets)]


class Inbound:
    def __init__(self, world, proxy, inbound, tags):
        self.world = world
        self.proxy = proxy
        self.inbound = inbound
        self.tags = tags
        self.protocol = tags.get(PROTOCOL, 'tcp').lower()

    def is_selected(self, policy):
        section = self.inbound.get('name') or str(self.inbound['port'])
        return (policy.top.get('sectionName', section) == section and
                policy.concerns(self.world.zone, self.proxy.res.labels) and
                self.proxy.is_selected(policy.top, policy.res.namespace, [self.tags]))

    def entries(self, kind):
        """`from` and `rules` of all that select it: the order of the policies, then the index."""
        policies = [p for p in self.world.policies[kind] if self.is_selected(p)]
        return merging.in_policy_order(policies, ('from', 'rules'))

    def applied(self):
        out = []
        for kind in KINDS:
            conf = merging.merged((entry.get('default', {}), origin)
                                  for entry, origin in self.entries(kind))
            out += shown(kind, effects.of_inbound(kind, conf, self.protocol in HTTP))
        return in_order(out)

    def permission(self):
        world = self.world
        return permissions.of_inbound(self.entries(PERMISSION), world.old['TrafficPermission'],
                                      self.tags, world.conf, world.mesh,
                                      world.services.has_mtls)

    def shown(self):
        out = {'address': self.inbound.get('address') or self.proxy.net['address'],
               'port': self.inbound['port'], 'service': self.tags.get(SERVICE),
               'permission': self.permission()}
        applied = self.applied()
        return dict(out, applied=applied) if applied else out


def of(world, proxy):
    return [Inbound(world, proxy, inbound, tags) for inbound, tags in served(proxy)]

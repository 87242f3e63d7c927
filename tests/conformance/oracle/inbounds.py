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
        self.address = inbound.get('address') or proxy.net['address']
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
            if kind == 'MeshCircuitBreaker':
                self.world.warnings.update(effects.idle_detectors(conf))
        return in_order(out)

    def permission(self):
        world = self.world
        out = permissions.of_inbound(self.entries(PERMISSION), world.old['TrafficPermission'],
                                     self.tags, world.conf, world.mesh,
                                     world.services.has_mtls)
        world.warnings.update(self.warnings(out.mode))
        return out

    def warnings(self, mode):
        """W6, W8, W9, W9b, W10."""
        at = '%s:%d' % (('[%s]' if ':' in self.address else '%s') % self.address,
                        self.inbound['port'])
        none = 'no MeshTrafficPermission selects inbound ' + at
        if mode == 'open':
            yield 'everybody is let in: ' + none
        if mode == 'denied':
            yield ('nobody is let in: %s (set Mesh.mtls.defaultPermission: Allow to let '
                   'everybody in)' % none)
        entries = self.entries(PERMISSION)
        rules = sorted({o.policy.res.name for _, o in entries if o.list == 'rules'})
        if mode == 'plain' and entries:
            yield 'has no effect: mesh "%s" has no mTLS' % self.world.mesh
        elif len(rules) == 1 and any(o.list == 'from' for _, o in entries):
            yield 'from has no effect: "%s" selects the same inbound with rules' % rules[0]
        if self.world.mode() == 'PERMISSIVE':
            yield ('plain text connections are not checked: mesh "%s" is PERMISSIVE'
                   % self.world.mesh)

    def shown(self):
        out = {'address': self.address, 'port': self.inbound['port'],
               'service': self.tags.get(SERVICE), 'permission': self.permission()}
        applied = self.applied()
        return dict(out, applied=applied) if applied else out


def of(world, proxy):
    return [Inbound(world, proxy, inbound, tags) for inbound, tags in served(proxy)]

"""Policies that attach to routes: which conf a place gets, and what of it is in effect
(policies 1.2 to 1.6). What the world writes as routes goes in, `applied` comes beside it."""

from . import effects, merging, old_confs
from .documents import HTTP
from .merging import Origin
from .resolve import namespace_of
from .shares import BLACKHOLE, parts

KINDS = ('MeshAccessLog', 'MeshCircuitBreaker', 'MeshHealthCheck', 'MeshRetry', 'MeshTimeout')


def shown(kind, leaves, source=None, named=None):
    """As `applied` has them; source, named: of a backend."""
    out = []
    for field, leaf in leaves:
        policy, index, where = leaf.origin
        one = {'kind': kind, 'field': field, 'value': leaf.value,
               'policy': dict(policy.res.shown(), kind=policy.res.kind, origin=policy.origin,
                              **{where: index})}
        if source:
            one['source'] = source
        if named is not None:
            one['from'] = named
        out.append(one)
    return out


def in_order(applied):
    return sorted(applied, key=lambda a: (a['kind'], a['field']))


class Outbound:
    """An outbound, its routes, and the clusters they make."""

    def __init__(self, out, target):
        self.out = out
        self.target = target
        self.is_http = 'rules' in out or (out['owner'] == 'default' and
                                          out['destination']['protocol'] in HTTP)
        self.protocol = out['destination']['protocol'] if self.is_http else 'tcp'
        self.routes = [r['backends'] for r in out['rules']] if 'rules' in out else [
            out['backends']]

    def clusters(self):
        """[backends], one for each that has a cluster."""
        return [b for backends in self.routes for b in backends if b.get('resolved')]

    def split(self):
        return parts(self.routes[0], self.out['unresolved'])


class Attachments:
    """To what one proxy sends."""

    def __init__(self, world, proxy, outbounds):
        self.world = world
        self.proxy = proxy
        self.outbounds = outbounds
        self.entries = {kind: world.matched(kind, proxy) for kind in KINDS}
        self.warnings = set()
        self.reached = {}  # {cluster: [(outbound, backend)]}
        for o in self.outbounds:
            for backend in o.clusters():
                self.reached.setdefault(backend['cluster'], []).append((o, backend))

    # -- 1.4 -------------------------------------------------------------------------

    def entries_of(self, kind, target):
        return [(p, i, e) for p, i, e in self.entries[kind]
                if e['targetRef']['kind'] == 'Mesh' or
                target and target.is_meant(e['targetRef'], namespace_of(p))]

    def conf(self, kind, target):
        return merging.merged((e.get('default', {}), Origin(p, i, 'to'))
                              for p, i, e in self.entries_of(kind, target))

    def is_named(self, kind, target):
        return bool(target) and any(target.is_named(e['targetRef'], namespace_of(p))
                                    for p, i, e in self.entries[kind]
                                    if e['targetRef']['kind'] != 'Mesh')

    def old_conf(self, kind, outbound):
        """P17: of the legacy kind, for what TrafficRoute owns."""
        if outbound.out['owner'] != 'TrafficRoute' or self.conf(kind, outbound.target):
            return {}
        return old_confs.of(self.world, self.proxy, kind, outbound.target.service)

    def of_listener(self, kind, outbound):
        return self.conf(kind, outbound.target) or self.old_conf(kind, outbound)

    def of_cluster(self, kind, cluster):
        """(conf, source, the name it is inherited from)"""
        backend = self.reached[cluster][0][1]
        target = backend.facts.target
        if self.is_named(kind, target):
            return self.conf(kind, target), 'own', None
        by = sorted({o.target.key: o for o, _ in self.reached[cluster]
                     if self.is_named(kind, o.target)}.items())
        if by:
            confs = [self.conf(kind, o.target) for _, o in by]
            for (_, o), conf in zip(by[1:], confs[1:]):
                if merging.plain(conf) != merging.plain(confs[0]):
                    self.warn('cluster "%s" takes %s from destination "%s"; destination "%s" asks '
                              'for something else' % (cluster, kind, by[0][1].target.called,
                                                      o.target.called))
                    break
            return confs[0], 'inherited', by[0][1].target.called
        conf = self.conf(kind, target)
        return (conf, 'mesh', None) if conf else self.of_old_cluster(kind, cluster)

    def of_old_cluster(self, kind, cluster):
        by = sorted({o.target.key: o for o, _ in self.reached[cluster]
                     if self.old_conf(kind, o)}.items())
        if not by:
            return {}, None, None
        return self.old_conf(kind, by[0][1]), 'inherited', by[0][1].target.called

    # -- 1.6 -------------------------------------------------------------------------

    def warn(self, reason):
        self.warnings.add(reason)

    def listener(self, outbound):
        applied = []
        split = outbound.split()
        is_one = len(split) == 1 and split[0][0] != BLACKHOLE
        for kind in KINDS:
            conf = self.of_listener(kind, outbound)
            applied += shown(kind, effects.of_listener(kind, conf, outbound, is_one))
            self.warn_of_listener(kind, conf, outbound, len(split))
        return in_order(applied)

    def warn_of_listener(self, kind, conf, outbound, clusters):
        name = outbound.target.called
        if kind == 'MeshRetry' and not outbound.is_http and clusters > 1 and merging.at(
                conf, 'tcp.maxConnectAttempt'):
            self.warn('maxConnectAttempt has no effect: the route to "%s" has %d clusters, each '
                      'attempt would pick again' % (name, clusters))  # W1
        own = [(p, e) for p, i, e in self.entries_of(kind, outbound.target)
               if e['targetRef']['kind'] != 'Mesh']
        for policy, entry in own:
            conf = entry.get('default', {})
            for section in effects.idle_sections(kind, outbound):
                if section in conf:
                    self.warn('%s has no effect: "%s" is routed as %s'
                              % (section, name, outbound.protocol))  # W3

    def cluster(self, cluster):
        """What stands beside each backend of the cluster."""
        use = effects.Use(self.reached[cluster], self.breaker_of(cluster))
        applied = []
        for kind in KINDS:
            conf, source, named = self.of_cluster(kind, cluster)
            applied += shown(kind, effects.of_cluster(kind, conf, use), source, named)
        return in_order(applied)

    def breaker_of(self, cluster):
        return self.of_cluster('MeshCircuitBreaker', cluster)[0]

    def write(self):
        """Into the outbounds' JSON."""
        by_cluster = {c: self.cluster(c) for c in self.reached}
        for o in self.outbounds:
            applied = self.listener(o)
            if applied:
                o.out['applied'] = applied
            for backend in o.clusters():
                if by_cluster[backend['cluster']]:
                    backend['applied'] = by_cluster[backend['cluster']]

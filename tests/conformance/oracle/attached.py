"""Policies that attach to routes: which conf a place gets, and what of it is in effect
(policies 1.2 to 1.6). What the world writes as routes goes in, `applied` comes beside it."""

from . import effects, legacy, merging, old_confs
from .documents import DISPLAY_NAME, HTTP, SERVICE
from .gateway import is_about
from .merging import Origin
from .policies import in_order as policies_in_order
from .resolve import Nothing, namespace_of
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


def is_about_one(leaf):
    """Whether it stands in an entry that names a service."""
    policy, index, _ = leaf.origin
    return policy.entries[index]['targetRef']['kind'] != 'Mesh'


def is_route(ref, policy):
    """Whether a ref is about this MeshHTTPRoute."""
    if ref.get('labels'):
        labels = dict(policy.res.labels, **{DISPLAY_NAME: policy.res.name})
        return all(labels.get(key) == value for key, value in ref['labels'].items())
    return ref.get('name') == policy.res.name


class Outbound:
    """An outbound, its routes, and the clusters they make."""

    def __init__(self, out, target, tags):
        self.out = out
        self.target = target
        self.tags = tags
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


class Listener(Outbound):
    """One of a builtin gateway, in its place."""

    def __init__(self, out, found, tags):
        self.out = out
        self.target = self.tags = None
        self.is_http = False
        self.protocol = 'tcp'
        self.routes = [out['backends']]
        self.found = found
        self.listener_tags = tags


class Attachments:
    """To what one proxy sends."""

    def __init__(self, world, proxy, outbounds):
        self.world = world
        self.proxy = proxy
        self.outbounds = outbounds
        self.entries = {kind: world.matched(kind, proxy) for kind in KINDS}
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
        if (outbound.out['owner'] != 'TrafficRoute' or self.conf(kind, outbound.target) or
                isinstance(outbound.target, Nothing)):
            return {}
        return old_confs.of(self.world, self.proxy, kind, outbound.tags[SERVICE])

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
            asked = [self.asked(kind, cluster, conf) for conf in confs]
            for (_, o), other in zip(by[1:], asked[1:]):
                if other != asked[0]:
                    self.warn('cluster "%s" takes %s from destination "%s"; destination "%s" asks '
                              'for something else' % (cluster, kind, by[0][1].target.called,
                                                      o.target.called))
                    break
            return confs[0], 'inherited', by[0][1].target.called
        conf = self.conf(kind, target)
        return (conf, 'mesh', None) if conf else self.of_old_cluster(kind, cluster)

    def asked(self, kind, cluster, conf):
        """What conf asks for there; what it asks in vain is no difference (W2)."""
        use = effects.Use(self.reached[cluster], conf if kind == 'MeshCircuitBreaker' else {})
        return [(f, leaf.value) for f, leaf in effects.of_cluster(kind, conf, use)]

    def of_old_cluster(self, kind, cluster):
        by = sorted({o.target.key: o for o, _ in self.reached[cluster]
                     if self.old_conf(kind, o)}.items())
        if not by:
            return {}, None, None
        conf = self.old_conf(kind, by[0][1])
        about = merging.leaves(conf)[0][1].origin.policy.res.spec['destinations']
        service = by[0][1].tags[SERVICE]
        if all(d['match'][SERVICE] != service for d in about):
            return conf, 'mesh', None
        backend = self.reached[cluster][0][1].facts.target
        if backend.called == service:
            return conf, 'own', None
        return conf, 'inherited', by[0][1].target.called

    # -- 1.6 -------------------------------------------------------------------------

    def warn_of_old(self, kind):
        """W5: of the one that would be chosen."""
        for o in self.outbounds:
            found = None
            if o.tags and not isinstance(o.target, Nothing):
                found = legacy.chosen(self.world.old[old_confs.REPLACED[kind]], self.proxy,
                                      o.tags[SERVICE])
            if found and o.out['owner'] != 'TrafficRoute':
                owner = o.out['owner'] if o.out['owner'] != 'default' else 'no TrafficRoute'
                self.warn('%s "%s" does not reach outbound %s:%d: %s owns it' % (
                    found.kind, found.name, o.out['address'], o.out['port'], owner))

    def warn(self, reason, maybe=False):
        (self.world.maybe if maybe else self.world.warnings).add(reason)

    def listener(self, outbound):
        """P3: there is none for a destination that is not there."""
        applied = []
        if isinstance(outbound.target, Nothing):
            return []
        split = outbound.split()
        is_one = len(split) == 1 and split[0][0] != BLACKHOLE
        for kind in KINDS:
            conf = self.of_listener(kind, outbound)
            applied += shown(kind, effects.of_listener(kind, conf, outbound, is_one))
            self.warn_of_listener(kind, conf, outbound, len(split))
        return in_order(applied)

    def route(self, outbound, rule):
        """Of one rule: an entry about its MeshHTTPRoute comes over the destination's."""
        applied, is_own = [], False
        for kind in ('MeshRetry', 'MeshTimeout'):
            own = [(p, i, e) for p, i, e in self.entries[kind]
                   if e['targetRef']['kind'] == 'MeshHTTPRoute' and rule.facts and
                   is_route(e['targetRef'], rule.facts)]
            is_own = is_own or bool(own)
            entries = self.entries_of(kind, outbound.target) + own
            conf = merging.merged((e.get('default', {}), Origin(p, i, 'to'))
                                  for p, i, e in entries)
            applied += shown(kind, effects.of_route(kind, conf, outbound))
        return in_order(applied) if is_own else []

    def warn_of_listener(self, kind, conf, outbound, clusters):
        name = outbound.target.called
        if kind == 'MeshRetry' and not outbound.is_http and clusters > 1 and merging.at(
                conf, 'tcp.maxConnectAttempt'):
            self.warn('maxConnectAttempt has no effect: the route to "%s" has %d clusters, each '
                      'attempt would pick again' % (name, clusters))  # W1
        for field, leaf in merging.leaves(self.conf(kind, outbound.target)):
            section = field.split('.')[0]
            if section in effects.idle_sections(kind, outbound) and is_about_one(leaf):
                self.warn('%s has no effect: "%s" is routed as %s'
                          % (section, name, outbound.protocol),
                          self.is_of_use(outbound.target, outbound.is_http))  # W3

    def is_of_use(self, target, is_http):
        """Whether a word about this service may be in effect elsewhere."""
        return any(o.is_http != is_http for reached in self.reached.values()
                   for o, backend in reached if backend.facts.target.called == target.called)

    def warn_of_breaker(self, cluster, use):
        """W4, W7."""
        target = self.reached[cluster][0][1].facts.target
        for field, leaf in merging.leaves(self.conf('MeshCircuitBreaker', target)):
            if not use.is_http and field in effects.HTTP_LIMITS and is_about_one(leaf):
                self.warn('%s has no effect on tcp' % field.split('.')[1],
                          self.is_of_use(target, False))
        for section in ('http', 'grpc', 'tcp'):  # of an entry that is about the backend
            self.warn('%s has no effect: "%s" is routed as %s' % (
                section, target.called, use.protocol if use.is_http else 'tcp'), True)
        conf = self.breaker_of(cluster)
        for reason in effects.idle_detectors(conf):
            self.warn(reason)

    def cluster(self, cluster):
        """What stands beside each backend of the cluster."""
        use = effects.Use(self.reached[cluster], self.breaker_of(cluster))
        self.warn_of_breaker(cluster, use)
        applied = []
        for kind in KINDS:
            conf, source, named = self.of_cluster(kind, cluster)
            applied += shown(kind, effects.of_cluster(kind, conf, use), source, named)
        return in_order(applied)

    def breaker_of(self, cluster):
        return self.of_cluster('MeshCircuitBreaker', cluster)[0]

    def write(self):
        """Into the outbounds' JSON."""
        for kind in KINDS:
            self.warn_of_old(kind)
        by_cluster = {c: self.cluster(c) for c in self.reached}
        for o in self.outbounds:
            applied = self.listener(o)
            if applied:
                o.out['applied'] = applied
            for rule in o.out.get('rules', []):
                applied = self.route(o, rule)
                if applied:
                    rule['applied'] = applied
            for backend in o.clusters():
                if by_cluster[backend['cluster']]:
                    backend['applied'] = by_cluster[backend['cluster']]


class OfGateway(Attachments):
    """To what a builtin gateway sends: its listeners have no destination."""

    def __init__(self, world, proxy, listeners):
        super().__init__(world, proxy, listeners)
        self.entries = {kind: self.matched(kind, listeners) for kind in KINDS}

    def matched(self, kind, listeners):
        return policies_in_order(p for p in self.world.policies[kind]
                                 if any(self.is_about(p, listener) for listener in listeners))

    def is_about(self, policy, listener):
        """R3.1, 4.5."""
        top = policy.top
        if not policy.concerns(self.world.zone, self.proxy.res.labels):
            return False
        if top['kind'] == 'MeshGateway':
            return is_about(policy, listener.found, listener.listener_tags)
        return self.proxy.is_selected(top, policy.res.namespace, [listener.listener_tags])

    def conf(self, kind, target):
        if target is not None:
            return super().conf(kind, target)
        return {}

    def is_named(self, kind, target):
        return target is not None and super().is_named(kind, target)

    def of_listener(self, kind, listener):
        return merging.merged((e.get('default', {}), Origin(p, i, 'to'))
                              for p, i, e in self.matched(kind, [listener])
                              if e['targetRef']['kind'] == 'Mesh')

    def listener(self, outbound):
        """None where nothing is served."""
        return super().listener(outbound) if outbound.out['backends'] else []

    def warn_of_listener(self, kind, conf, outbound, clusters):
        pass

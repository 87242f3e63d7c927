"""Which policies concern a proxy, and in what order (3.1, 3.2)."""

from .documents import (DISPLAY_NAME, MESH, NAMESPACE, ORIGIN, SERVICE, SYSTEM_NAMESPACES, ZONE,
                        contains, kri)

TOP_ORDER = ('Mesh', 'Dataplane', 'MeshSubset', 'MeshGateway', 'MeshService',
             'MeshExternalService', 'MeshMultiZoneService', 'MeshServiceSubset', 'MeshHTTPRoute')
ORIGIN_ORDER = ('global', 'unknown', 'zone')
ROLE_ORDER = ('system', 'producer', 'consumer', 'workload-owner')
SHORT = {'MeshTCPRoute': 'mtcpr', 'MeshHTTPRoute': 'mhttpr',
         'MeshLoadBalancingStrategy': 'mlbs'}  # of one kind, any text orders alike


class Policy:
    """A route, a MeshLoadBalancingStrategy, or what attaches to routes."""

    def __init__(self, res):
        self.res = res
        self.top = res.spec.get('targetRef', {'kind': 'Mesh'})
        self.entries = res.spec.get('to', [])
        self.origin = res.labels.get(ORIGIN, 'global')
        self.zone = res.labels.get(ZONE, '')
        self.role = self.find_role()

    def find_role(self):
        """1.5, with D19 and D36."""
        given = self.res.labels.get('kuma.io/policy-role')
        if given:
            return given
        namespace = self.res.namespace
        if not namespace or namespace in SYSTEM_NAMESPACES:
            return 'system'
        if not self.entries:
            return 'workload-owner'
        if all(self.is_producer_item(e['targetRef']) for e in self.entries):
            return 'producer'
        return 'consumer'

    def is_producer_item(self, ref):
        own = ref.get('namespace', '') in ('', self.res.namespace)
        if ref['kind'] != 'MeshService':
            return False
        if ref.get('name'):
            return own
        labels = dict(ref.get('labels', {}))
        return (labels.pop(DISPLAY_NAME, None) is not None and
                labels.pop(NAMESPACE, self.res.namespace) == self.res.namespace and
                not labels)

    def kri(self):
        return kri(SHORT.get(self.res.kind, ''), self.res.mesh, self.zone, self.res.namespace,
                   self.res.name)

    def concerns(self, zone, proxy_labels):
        """3.1, steps 0 to 2."""
        if self.res.labels.get('kuma.io/effect') == 'shadow':
            return False
        if self.role != 'producer' and self.origin == 'zone' and self.zone not in ('', zone):
            return False
        return (self.role not in ('consumer', 'workload-owner') or
                self.res.labels.get(NAMESPACE) == proxy_labels.get(NAMESPACE))


class Proxy:
    """A Dataplane of the zone, as policies see it."""

    def __init__(self, res, zone):
        self.res = res
        self.net = res.spec['networking']
        self.gateway = self.net.get('gateway')
        self.is_builtin = bool(self.gateway) and self.gateway.get('type') == 'BUILTIN'
        self.labels = dict(res.labels)
        self.labels.update({DISPLAY_NAME: res.name, ZONE: zone, ORIGIN: 'zone',
                            MESH: res.mesh})
        self.tag_sets = [dict(i.get('tags', {}), **{ZONE: zone})
                         for i in self.net.get('inbound', [])
                         if i.get('state', 'Ready') != 'Ignored']
        if self.gateway is not None:
            self.tag_sets.append(dict(self.gateway.get('tags', {}), **{ZONE: zone}))

    def is_selected(self, ref, namespace, tag_sets=None):
        """3.1 step 3, D14, D29. A name is one of the policy's namespace
        (3.3), but no Dataplane lives in a system namespace. tag_sets: of one inbound, if
        not the whole proxy is asked for."""
        kind = ref['kind']
        kind_of_proxy = 'Gateway' if self.gateway is not None else 'Sidecar'
        if kind in ('Mesh', 'MeshSubset'):
            if kind_of_proxy not in ref.get('proxyTypes', ['Sidecar', 'Gateway']):
                return False
        if kind == 'Mesh':
            return True
        if kind == 'Dataplane':
            if self.is_builtin:
                return False
            if not ref.get('namespace') and (
                    not ref.get('name') or namespace in ('',) + SYSTEM_NAMESPACES):
                namespace = self.res.namespace
            return (ref.get('name', self.res.name) == self.res.name and
                    (ref.get('namespace') or namespace) == self.res.namespace and
                    all(self.labels.get(k) == v for k, v in ref.get('labels', {}).items()))
        if kind == 'MeshSubset':
            return any(contains(s, ref.get('tags', {}))
                       for s in tag_sets or self.tag_sets_or_labels())
        if kind in ('MeshService', 'MeshServiceSubset') and ref.get('name'):
            return any(s.get(SERVICE) == ref['name'] and contains(s, ref.get('tags', {}))
                       for s in tag_sets or self.tag_sets)
        return False

    def tag_sets_or_labels(self):
        """D14."""
        return self.tag_sets or [self.labels]


def rank(policy, entry):
    """3.2: keys 1 to 5, then of the entry. Key 4 tells listeners' policies apart, which
    are the only ones with a MeshGateway on top. B11; a MeshExternalService has no
    sections."""
    top = policy.top
    by_name = top['kind'] == 'Dataplane' and ('name' in top or 'namespace' in top)
    listener_tags = len(top.get('tags', {})) if top['kind'] == 'MeshGateway' else 0
    to = entry['targetRef']
    return (TOP_ORDER.index(top['kind']), by_name, ORIGIN_ORDER.index(policy.origin),
            listener_tags, ROLE_ORDER.index(policy.role), TOP_ORDER.index(to['kind']),
            to['kind'] != 'MeshExternalService' and
            any(to.get(f) for f in ('sectionName', 'port', '_port')))


def in_order(policies):
    """[(policy, index, entry)] of these policies, later wins (3.2, D15). Sorts are stable,
    so the last one is by the first keys."""
    entries = [(p, i, e) for p in policies for i, e in enumerate(p.entries)]
    entries.sort(key=lambda e: (e[0].kri(), e[1]))
    entries.sort(key=lambda e: e[0].res.name, reverse=True)
    entries.sort(key=lambda e: rank(e[0], e[2]))
    return entries


def contributor(policy, index):
    return dict(policy.res.shown(), kind=policy.res.kind, origin=policy.origin, to=index)

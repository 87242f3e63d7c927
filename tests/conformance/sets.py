"""Random sets of documents, from a vocabulary so small that names meet often."""

from sets_attached import Attached
from sets_wrong import Wrong
from vocabulary import NAMESPACES, OWN, SERVICES, ZONES

__all__ = ['OWN', 'Maker']

PATHS = (None, None, ('Exact', '/a'), ('PathPrefix', '/a'), ('PathPrefix', '/a/b'),
         ('PathPrefix', '/'), ('RegularExpression', '/a.*'), ('RegularExpression', '/b'))
HEADERS = ({'name': 'x', 'value': '1'}, {'name': 'y', 'type': 'Present'},
           {'name': 'z', 'type': 'Exact', 'value': '2'})
PARAMS = ({'name': 'p', 'type': 'Exact', 'value': '1'},
          {'name': 'q', 'type': 'RegularExpression', 'value': 'a+'})


def produces(to, namespace):
    """1.5: an entry about one service of the policy's own namespace."""
    ref = to['targetRef']
    if ref['kind'] != 'MeshService':
        return False
    if 'name' in ref:
        return ref.get('namespace', namespace) == namespace
    return set(ref['labels']) == {'kuma.io/display-name'}


class Maker(Attached, Wrong):
    """Makes one set of documents from one seed."""

    # -- inventory -----------------------------------------------------------------

    def mesh(self):
        routing = {}
        if self.some(0.5):
            routing['localityAwareLoadBalancing'] = self.some(0.4)
        if self.some(0.3):
            routing['unresolvedBackends'] = self.pick(('Blackhole', 'Renormalise'))
        body = {'routing': routing} if routing else {}
        if self.some(0.4):
            body['meshServices'] = {'mode': self.pick(
                ('Disabled', 'Everywhere', 'ReachableBackends', 'Exclusive'))}
        if self.some(0.5):
            body['mtls'] = {'backends': [{'name': name, 'type': 'builtin'}
                                         for name in ('ca-1', 'ca-2')[:self.pick((1, 1, 2))]]}
            for backend in body['mtls']['backends']:
                if self.some(0.6):
                    backend['mode'] = self.pick(('STRICT', 'PERMISSIVE'))
            if self.some(0.8):
                body['mtls']['enabledBackend'] = 'ca-1'
                if self.some(0.4):
                    body['routing'] = dict(routing, zoneEgress=True)
            if self.some(0.4):
                body['mtls']['defaultPermission'] = self.pick(('Allow', 'Deny'))
        if self.some(0.3):
            body['logging'] = {'backends': [
                {'name': 'f', 'type': 'file', 'conf': {'path': '/tmp/f.log'}}]}
            if self.some(0.5):
                body['logging']['defaultBackend'] = 'f'
        self.put('Mesh', 'default', None, {}, body, True)

    def dataplane(self, n):
        namespace = self.pick(NAMESPACES[:2]) if self.some(0.3) else None
        labels = {k: self.pick(('a', 'b')) for k in ('app', 'team') if self.some(0.4)}
        zone = OWN
        if self.some(0.1):
            zone = labels['kuma.io/zone'] = self.pick(ZONES[:2])
        net = {'address': '192.168.0.%d' % (n + 1)}
        if self.some(0.15):
            net['advertisedAddress'] = '172.16.0.%d' % (n + 1)
        if self.some(0.15):
            net['gateway'] = {'type': 'DELEGATED', 'tags': dict(
                self.tags(), **{'kuma.io/service': self.pick(('edge', 'web'))})}
        elif self.some(0.85):
            net['inbound'] = [self.inbound(n, i) for i in range(self.dice.randint(1, 3))]
        net['outbound'] = [self.outbound(i) for i in range(self.dice.randint(1, 5))]
        name = 'dp-%d' % (n if self.some(0.8) else 0)
        self.put('Dataplane', name, self.pick(('default',) * 9 + ('other',)), labels,
                 {'networking': net}, True, namespace, zone)

    def inbound(self, n, i):
        out = {'port': 8000 + i, 'tags': self.service_tags()}
        if self.some(0.2):
            out['state'] = self.pick(('Ready', 'NotReady', 'Ignored') if i == 0
                                     else ('Ready', 'NotReady'))
        elif self.some(0.1):
            out['health'] = {'ready': self.some(0.5)}
        if self.some(0.2):
            out['name'] = 'main' if i == 0 else 'port-%d' % i
        if self.some(0.1):
            out['address'] = '192.168.1.%d' % (n + 1)
        if self.some(0.1):
            out['tags']['kuma.io/zone'] = self.pick(ZONES)
        return out

    def outbound(self, i):
        if self.some(0.45):
            return self.object_outbound(10001 + i)
        out = {'port': 10001 + i, 'tags': {'kuma.io/service': self.pick(
            SERVICES + ('ext',))}}
        if self.some(0.2):
            out['address'] = '127.0.0.%d' % self.dice.randint(1, 3)
        if self.some(0.1):
            out['tags'].update(self.tags())
        return out

    # -- policies ------------------------------------------------------------------

    def top(self):
        kind = self.pick(('Mesh', 'Mesh', 'Mesh', 'Dataplane', 'MeshSubset', 'MeshService',
                          'MeshServiceSubset'))
        out = {'kind': kind}
        if kind in ('Mesh', 'MeshSubset') and self.some(0.2):
            out['proxyTypes'] = self.pick((['Sidecar'], ['Gateway'], ['Gateway', 'Sidecar']))
        if kind == 'Dataplane':
            if self.some(0.5):
                out['labels'] = {k: self.pick(v) for k, v in (
                    ('app', 'ab'), ('team', 'ab'), ('kuma.io/zone', ZONES[:2]))
                                 if self.some(0.3)}
            elif self.some(0.6):
                out['name'] = 'dp-%d' % self.dice.randrange(6)
        if kind in ('MeshService', 'MeshServiceSubset'):
            out['name'] = self.pick(('web', 'backend', 'edge', 'db'))
        if kind in ('MeshSubset', 'MeshServiceSubset'):
            tags = self.wanted(False)
            if tags or self.some(0.5):
                out['tags'] = tags
        return out

    def ref(self):
        kind = self.pick(('MeshService', 'MeshServiceSubset'))
        out = {'kind': kind, 'name': self.pick(SERVICES)}
        if kind == 'MeshServiceSubset':
            tags = self.wanted()
            if tags:
                out['tags'] = tags
        elif self.some(0.4):
            out = self.object_ref()
        elif self.some(0.1):
            out['name'] = 'ext'
        if self.some(0.7):
            out['weight'] = self.pick((0, 1, 10, 90, 4294967))
        return out

    def to_ref(self):
        if self.some(0.45):
            return self.object_ref()
        return {'kind': 'MeshService', 'name': self.pick(SERVICES + ('ext',))}

    def to(self):
        rules = []
        if self.some(0.85):
            rules = [{'default': {'backendRefs': self.refs()}}]
        return {'targetRef': self.to_ref(), 'rules': rules}

    def refs(self):
        return [self.ref() for _ in range(self.dice.randint(1, 4))]

    def http_to(self):
        return {'targetRef': self.to_ref(), 'rules': [self.rule() for _ in self.up_to(3)]}

    def rule(self):
        out = {'matches': [self.match() for _ in range(self.pick((1, 1, 2)))], 'default': {}}
        if self.some(0.8):
            out['default']['backendRefs'] = self.refs()
        return out

    def match(self):
        out = {}
        path = self.pick(PATHS)
        if path:
            out['path'] = dict(zip(('type', 'value'), path))
        if self.some(0.3):
            out['method'] = self.pick(('GET', 'PUT'))
        for field, all_of, chance in (('headers', HEADERS, 0.3), ('queryParams', PARAMS, 0.2)):
            items = [dict(item) for item in all_of if self.some(chance)]
            if self.some(0.5):
                items.reverse()
            if items or self.some(0.1):
                out[field] = items
        return out

    def policy(self):
        namespace = self.pick(NAMESPACES) if self.some(0.25) else None
        kind = 'MeshHTTPRoute' if self.some(0.4) else 'MeshTCPRoute'
        make = self.http_to if kind == 'MeshHTTPRoute' else self.to
        self.put_policy(kind, 'route-%s' % self.pick('abcd'), namespace, {
            'to': [make() for _ in range(self.dice.randint(1, 4))]})

    def origin(self):
        """(labels, zone of the identity) of a policy."""
        labels = {}
        origin = self.pick(('', '', 'global', 'zone', 'zone'))
        zone = ''
        if origin:
            labels['kuma.io/origin'] = origin
        if origin == 'zone' and self.some(0.8):
            zone = labels['kuma.io/zone'] = self.pick(ZONES[:2])
        if self.some(0.07):
            labels['kuma.io/effect'] = 'shadow'
        return labels, zone

    def put_policy(self, kind, name, namespace, body):
        labels, zone = self.origin()
        if namespace in NAMESPACES[:2]:  # 1.5: producer and consumer entries do not mix
            first = produces(body['to'][0], namespace)
            body['to'] = [to for to in body['to'] if produces(to, namespace) == first]
        if self.some(0.8):
            body['targetRef'] = self.top()
        if kind == 'MeshTCPRoute' and namespace not in NAMESPACES[:2] and self.some(0.25):
            body['targetRef'] = {'kind': 'MeshGateway', 'name': self.pick(('edge', 'edge', 'edgy'))}
            if self.some(0.4):
                body['targetRef']['tags'] = dict(self.tags(0.1), port=self.pick(('9000', '*')))
            body['to'] = [dict(to, targetRef={'kind': 'Mesh'}) for to in body['to'][:2]]
        self.put(kind, name, self.some_mesh(), labels, body, False, namespace, zone)

    def make(self):
        if self.some(0.7):
            self.mesh()
        for zone in ZONES:
            if self.some(0.2):
                self.put('Zone', zone, None, {}, {'enabled': self.some(0.7)}, True)
                if 'type' in self.docs[-1] and self.some(0.6):
                    self.docs[-1]['status'] = {
                        'condition': self.pick(('Online', 'Stale', 'Offline', 'Odd'))}
        for n in range(self.dice.randint(1, 7)):
            self.dataplane(n)
        for n in self.up_to(5):
            self.ingress(n)
        for n in self.up_to(2):
            self.egress(n)
        for n in self.up_to(1):
            self.builtin(n)
        for most, make in ((7, self.mesh_service), (3, self.multi_zone_service),
                           (2, self.mesh_external_service), (2, self.traffic_route),
                           (2, self.mesh_gateway), (12, self.policy), (4, self.strategy),
                           (8, self.attached_policy), (2, self.old_policy)):
            for _ in self.up_to(most):
                make()
        for n in self.up_to(2):
            self.external_service(n)
        return self.docs

"""Words and dice of the random sets (sets.py)."""

import random

OWN = 'east'
ZONES = ('east', 'west', 'north', 'central')
SERVICES = ('web', 'backend', 'db', 'cache_demo_svc_80', 'gone')
OBJECTS = ('db', 'db', 'backend')
NAMESPACES = ('demo', 'shop', 'kuma-system')
TAGS = {'version': ('v1', 'v2'), 'region': ('eu', 'us')}
LABELS = {'app': 'aab', 'team': 'aab'}
PORTS = {80: 'http', 5432: 'sql', 9090: None}
PORT = (80, 80, 80, 5432, 9090)
PROTOCOLS = ('tcp', 'http', 'http2', 'grpc', 'kafka', 'tls', 'mysql')


class Dice:
    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.docs = []
        self.taken = set()

    def some(self, chance):
        return self.dice.random() < chance

    def pick(self, items):
        return self.dice.choice(items)

    def up_to(self, most):
        return range(self.dice.randint(0, most))

    def labels(self, chance=0.4):
        return {k: self.pick(v) for k, v in LABELS.items() if self.some(chance)}

    def tags(self, chance=0.4):
        return {k: self.pick(v) for k, v in TAGS.items() if self.some(chance)}

    def wanted(self, zones=True):
        """Tags as a reference asks for them."""
        out = self.tags(0.5)
        if zones and self.some(0.25):
            out['kuma.io/zone'] = self.pick(ZONES)
        if out and self.some(0.15):
            out[self.pick(sorted(out))] = '*'
        return out

    def service_tags(self):
        out = dict(self.tags(), **{'kuma.io/service': self.pick(SERVICES[:-1])})
        if self.some(0.85):
            out['kuma.io/protocol'] = self.pick(('tcp', 'http', 'http', 'http', 'http2', 'grpc',
                                                 'kafka', 'TCP'))
        return out

    def put(self, kind, name, mesh, labels, body, flat, namespace=None, zone=''):
        """Write it in one of its forms, unless its identity is taken."""
        identity = (kind, mesh, zone, namespace, name)
        if identity in self.taken:
            return
        self.taken.add(identity)
        if namespace is not None:
            doc = {'apiVersion': 'kuma.io/v1alpha1', 'kind': kind,
                   'metadata': {'name': name, 'namespace': namespace}, 'spec': body}
            if flat and mesh:
                doc['mesh'] = mesh
            elif mesh and (mesh != 'default' or self.some(0.3)):
                labels = dict(labels, **{'kuma.io/mesh': mesh})
            if labels:
                doc['metadata']['labels'] = labels
        else:
            doc = {'type': kind, 'name': name}
            if mesh and (mesh != 'default' or self.some(0.3)):
                doc['mesh'] = mesh
            if labels:
                doc['labels'] = labels
            if flat and self.some(0.7):
                doc.update(body)
            else:
                doc['spec'] = body
        self.docs.append(doc)

    def some_mesh(self, one_in=12):
        return self.pick(('default',) * one_in + ('other',))

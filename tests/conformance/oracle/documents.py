"""Documents in both forms, and the words that all kinds share."""

import re

import yaml

ZONE = 'kuma.io/zone'
ORIGIN = 'kuma.io/origin'
MESH = 'kuma.io/mesh'
DISPLAY_NAME = 'kuma.io/display-name'
SERVICE = 'kuma.io/service'
PROTOCOL = 'kuma.io/protocol'
NAMESPACE = 'k8s.kuma.io/namespace'

SYSTEM_NAMESPACES = ('kuma-system', 'kong-mesh-system', 'zonelink-system')  # D19
HTTP = ('http', 'http2', 'grpc')
OBJECT_KINDS = ('MeshService', 'MeshExternalService', 'MeshMultiZoneService')


class Loader(yaml.SafeLoader):
    """D28: numbers and booleans in JSON's syntax, any other plain scalar is text."""
    yaml_implicit_resolvers = {}


for tag, pattern, first in (
        ('bool', r'true|false', 'tf'), ('null', r'null', 'n'),
        ('int', r'-?(0|[1-9][0-9]*)', '-0123456789'),
        ('float', r'-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?', '-0123456789')):
    Loader.add_implicit_resolver('tag:yaml.org,2002:' + tag,
                                 re.compile('(' + pattern + r')\Z'), list(first))


def without_nulls(value):
    """D39: a plain null counts as absent."""
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [without_nulls(v) for v in value if v is not None]
    return value


class Resource:
    """One document in either form (1.1, 1.2; design 5.1)."""

    def __init__(self, doc):
        if 'apiVersion' in doc:
            meta = doc.get('metadata', {})
            self.kind = doc['kind']
            self.name = meta['name']
            self.labels = dict(meta.get('labels', {}))
            self.namespace = meta.get('namespace', '')
            self.kubernetes = True
            mesh = doc.get('mesh') or self.labels.get(MESH)
            if self.namespace:
                self.labels[NAMESPACE] = self.namespace
        else:
            self.kind = doc['type']
            self.name = doc['name']
            self.labels = dict(doc.get('labels', {}))
            self.namespace = self.labels.get(NAMESPACE, '')
            self.kubernetes = False
            mesh = doc.get('mesh')
        self.mesh = mesh or 'default'
        self.spec = doc.get('spec', doc)
        self.status = {} if self.kubernetes else doc.get('status', {})

    def shown(self):
        out = {'name': self.name}
        if self.namespace:
            out['namespace'] = self.namespace
        return out


def parse(text):
    return [Resource(without_nulls(doc)) for doc in yaml.load_all(text, Loader=Loader)
            if doc not in (None, '')]


def contains(tags, wanted):
    """5.8: for each wanted tag the same value, `*` any."""
    return all(k in tags and v in ('*', tags[k]) for k, v in wanted.items())


def kri(short, mesh, zone, namespace, name, section=''):
    """1.7."""
    return '_'.join(('kri', short, mesh, zone, namespace, name, section))

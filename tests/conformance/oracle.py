#!/usr/bin/python3
"""What a set of documents means, computed a second time.

Written from the behaviour specification alone and on purpose without a look at the C
code: where the two differ, one of them misread the specification. Comments name the
section or the decision a line comes from. Only tag services are known here: a reference
that only a real object could answer finds nothing.

Usage: oracle.py --zone ZONE [--mesh MESH] FILE...
"""

import argparse
import hashlib
import json
import math
import re
import sys

import yaml

ZONE = 'kuma.io/zone'
ORIGIN = 'kuma.io/origin'
SERVICE = 'kuma.io/service'
NAMESPACE = 'k8s.kuma.io/namespace'

SYSTEM_NAMESPACES = ('kuma-system', 'kong-mesh-system', 'zonelink-system')  # D19
TOP_ORDER = ('Mesh', 'Dataplane', 'MeshSubset', 'MeshGateway', 'MeshService',
             'MeshExternalService', 'MeshMultiZoneService', 'MeshServiceSubset')
ORIGIN_ORDER = ('global', 'unknown', 'zone')
ROLE_ORDER = ('system', 'producer', 'consumer', 'workload-owner')

STACKS = {'grpc': ('grpc', 'http2', 'tcp'), 'http2': ('http2', 'tcp'),
          'http': ('http', 'tcp'), 'kafka': ('kafka', 'tcp'), 'tls': ('tcp',),
          'tcp': ('tcp',)}


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
        if str(doc.get('apiVersion', '')).startswith('kuma.io/'):
            meta = doc.get('metadata', {})
            self.kind = doc['kind']
            self.name = meta['name']
            self.labels = dict(meta.get('labels', {}))
            self.namespace = meta.get('namespace', '')
            self.kubernetes = True
            mesh = doc.get('mesh') or self.labels.get('kuma.io/mesh')
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


class Policy:
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
        return (labels.pop('kuma.io/display-name', None) is not None and
                labels.pop(NAMESPACE, self.res.namespace) == self.res.namespace and
                not labels)

    def kri(self):
        """1.7."""
        return '_'.join(('kri_mtcpr', self.res.mesh, self.zone, self.res.namespace,
                         self.res.name, ''))


class Proxy:
    """A Dataplane of the zone, as policies see it."""

    def __init__(self, res, zone):
        self.res = res
        self.net = res.spec['networking']
        self.gateway = self.net.get('gateway')
        self.labels = dict(res.labels)
        self.labels.update({'kuma.io/display-name': res.name, ZONE: zone,
                            ORIGIN: 'zone', 'kuma.io/mesh': res.mesh})
        self.tag_sets = [dict(i.get('tags', {}), **{ZONE: zone})
                         for i in self.net.get('inbound', [])
                         if i.get('state', 'Ready') != 'Ignored']
        if self.gateway is not None:
            self.tag_sets.append(dict(self.gateway.get('tags', {}), **{ZONE: zone}))

    def is_selected(self, ref, namespace):
        """3.1 step 3, D14, D29. A name is one of the policy's namespace
        (3.3), but no Dataplane lives in a system namespace."""
        kind = ref['kind']
        kind_of_proxy = 'Gateway' if self.gateway is not None else 'Sidecar'
        if kind in ('Mesh', 'MeshSubset'):
            if kind_of_proxy not in ref.get('proxyTypes', ['Sidecar', 'Gateway']):
                return False
        if kind == 'Mesh':
            return True
        if kind == 'Dataplane':
            if self.gateway is not None and self.gateway.get('type') == 'BUILTIN':
                return False
            if not ref.get('namespace') and (
                    not ref.get('name') or namespace in ('',) + SYSTEM_NAMESPACES):
                namespace = self.res.namespace
            return (ref.get('name', self.res.name) == self.res.name and
                    (ref.get('namespace') or namespace) == self.res.namespace and
                    all(self.labels.get(k) == v for k, v in ref.get('labels', {}).items()))
        if kind == 'MeshSubset':
            sets = self.tag_sets or [self.labels]
            return any(contains(s, ref.get('tags', {})) for s in sets)
        if kind in ('MeshService', 'MeshServiceSubset') and ref.get('name'):
            return any(s.get(SERVICE) == ref['name'] and contains(s, ref.get('tags', {}))
                       for s in self.tag_sets)
        return False


class World:
    """All that the zone knows of one mesh."""

    def __init__(self, resources, zone, mesh):
        self.zone = zone
        self.mesh = mesh
        self.conf = {}
        disabled = set()
        self.silent = {}  # D13
        for r in resources:
            if r.kind == 'Mesh' and r.name == mesh:
                self.conf = r.spec
            if r.kind == 'Zone' and r.spec.get('enabled') is False:
                disabled.add(r.name)
            if r.kind == 'Zone' and r.status.get('condition') in ('Stale', 'Offline'):
                self.silent[r.name] = r.status['condition']
        disabled.discard(zone)  # kinds 5: nothing inside the zone changes
        mine = [r for r in resources if r.mesh == mesh]
        self.proxies = sorted(
            (Proxy(r, zone) for r in mine if r.kind == 'Dataplane' and
             r.labels.get(ZONE, zone) == zone),
            key=lambda p: (p.res.name, p.res.namespace))
        self.policies = [p for p in (Policy(r) for r in mine if r.kind == 'MeshTCPRoute')
                         if not (p.origin == 'zone' and p.zone in disabled)]
        self.locals = self.find_locals()
        self.remotes = self.find_remotes(resources, disabled)

    def find_locals(self):
        """[(tags, state, address, port)] of all inbounds (6.5, kinds 2)."""
        found = []
        for proxy in self.proxies:
            for inbound in proxy.net.get('inbound', []):
                state = inbound.get('state', 'Ready')
                if state == 'Ready' and not inbound.get('health', {'ready': True}).get('ready', False):
                    state = 'NotReady'
                address = (proxy.net.get('advertisedAddress') or inbound.get('address') or
                           proxy.net['address'])
                found.append((dict(inbound.get('tags', {}), **{ZONE: self.zone}), state,
                              address, inbound['port']))
        return found

    def find_remotes(self, resources, disabled):
        """[(zone, coordinates or None, tags, instances)] of this mesh's records."""
        found = []
        for r in resources:
            if r.kind != 'ZoneIngress':
                continue
            zone = r.spec.get('zone') or r.labels.get(ZONE) or self.zone
            if zone == self.zone or zone in disabled:
                continue
            net = r.spec['networking']
            at = None
            if net.get('advertisedAddress'):
                at = (net['advertisedAddress'], net['advertisedPort'])
            for record in r.spec.get('availableServices', []):
                if record.get('mesh', 'default') == self.mesh:
                    found.append((zone, at, r.name, dict(record['tags'], **{ZONE: zone}),
                                  record.get('instances', 0)))
        return found

    def is_known(self, service):
        """D18."""
        return (any(tags.get(SERVICE) == service for tags, _, _, _ in self.locals) or
                any(r[3].get(SERVICE) == service for r in self.remotes))

    def protocol(self, service):
        """4.1: what all endpoints have in common."""
        seen = [tags.get('kuma.io/protocol') for tags, state, _, _ in self.locals
                if tags.get(SERVICE) == service and state == 'Ready']
        seen += [r[3].get('kuma.io/protocol') for r in self.remotes
                 if r[3].get(SERVICE) == service and r[1] and r[4] > 0]
        common = None
        for one in seen:
            one = one.lower() if one else 'unknown'
            if common is None or common == one:
                common = one
            elif common not in STACKS or one not in STACKS:
                common = 'unknown'
            else:
                common = next(p for p in STACKS[common] if p in STACKS[one])
        return common or 'unknown'

    def gates(self, wanted, locals_):
        """{zone: {coordinates: {ingress: instances}}} of what is not withdrawn (D13)."""
        zones = {}
        for zone, at, ingress, offered, instances in self.remotes:
            if at is not None and instances > 0 and contains(offered, wanted):
                counts = zones.setdefault(zone, {}).setdefault(at, {})
                counts[ingress] = counts.get(ingress, 0) + instances
        here = {z: c for z, c in zones.items() if self.silent.get(z) != 'Offline'}
        return here if here or locals_ else zones

    def endpoints(self, service, tags):
        """6.5, D13, D17, D21, D27."""
        wanted = dict(tags, **{SERVICE: service})
        out = [{'zone': self.zone, 'address': address, 'port': port, 'priority': 0,
                'via': 'direct'} for offered, state, address, port in self.locals
               if state == 'Ready' and contains(offered, wanted)]
        zones = self.gates(wanted, out)
        unit = math.lcm(*(len(ingresses) for ingresses in zones.values()))
        for endpoint in out:
            endpoint['weight'] = unit
        aware = self.conf.get('routing', {}).get('localityAwareLoadBalancing', True)
        has_mtls = bool(self.conf.get('mtls', {}).get('enabledBackend'))
        later = 1 if out and (aware or not has_mtls) else 0
        last = max([0] * bool(out) + [later for z in zones if z not in self.silent],
                   default=-1) + 1
        for zone, ingresses in zones.items():
            most = max(n for counts in ingresses.values() for n in counts.values())
            for at in ingresses:
                out.append({'zone': zone, 'address': at[0], 'port': at[1],
                            'weight': unit * most // len(ingresses),
                            'priority': last if zone in self.silent else later,
                            'via': 'ingress'})
        return sorted(out, key=lambda e: (e['priority'], e['zone'], e['address'], e['port']))

    # -- policies ------------------------------------------------------------------

    def matched(self, proxy):
        """3.1, then 3.2: the entries of all policies that apply, later wins. Sorts are
        stable, so the last one is by the first keys."""
        entries = []
        for p in self.policies:
            if p.res.labels.get('kuma.io/effect') == 'shadow':
                continue
            if p.role != 'producer' and p.origin == 'zone' and p.zone not in ('', self.zone):
                continue
            if p.role in ('consumer', 'workload-owner') and \
                    p.res.labels.get(NAMESPACE) != proxy.res.labels.get(NAMESPACE):
                continue
            if proxy.is_selected(p.top, p.res.namespace):
                entries += [(p, i, e) for i, e in enumerate(p.entries)]
        entries.sort(key=lambda e: (e[0].kri(), e[1]))
        entries.sort(key=lambda e: e[0].res.name, reverse=True)
        entries.sort(key=lambda e: self.rank(*e))
        return entries

    @staticmethod
    def rank(policy, _, entry):
        top = policy.top
        by_name = top['kind'] == 'Dataplane' and ('name' in top or 'namespace' in top)
        to = entry['targetRef']
        return (TOP_ORDER.index(top['kind']), by_name, ORIGIN_ORDER.index(policy.origin),
                ROLE_ORDER.index(policy.role), TOP_ORDER.index(to['kind']),
                bool(to.get('sectionName') or to.get('port')))

    @staticmethod
    def is_about(entry, service):
        """3.5; D32: what names more than a service is about real objects."""
        ref = entry['targetRef']
        return (ref['kind'] == 'MeshService' and ref.get('name') == service and
                not any(ref.get(f) for f in ('namespace', 'port', '_port', 'sectionName')))

    def backend(self, ref):
        out = {'kind': ref['kind']}
        out.update({f: ref[f] for f in ('name', 'namespace', 'labels', 'tags') if ref.get(f)})
        out['weight'] = ref.get('weight', 1)
        if out['weight'] == 0:  # D38
            out['reason'] = 'weight 0'
            return out
        tagged = (ref['kind'] in ('MeshService', 'MeshServiceSubset') and ref.get('name') and
                  not any(ref.get(f) for f in ('namespace', 'port', 'sectionName')))
        if not tagged:  # D32
            return dict(out, resolved=False, reason=...)
        if not self.is_known(ref['name']):  # D18
            return dict(out, resolved=False, reason='no service "%s" in mesh "%s"'
                        % (ref['name'], self.mesh))
        return self.resolved(out)

    def resolved(self, out):
        tags = out.get('tags', {})
        return dict(out, resolved=True, cluster=cluster_name(out['name'], tags),
                    endpoints=self.endpoints(out['name'], tags))

    def own_backend(self, service, tags):
        """4.4, B5; kinds 2: more tags make it a subset."""
        out = {'kind': 'MeshServiceSubset' if tags else 'MeshService', 'name': service,
               'weight': 1}
        if tags:
            out['tags'] = tags
        return self.resolved(out)

    def outbound(self, entries, outbound):
        address = outbound.get('address') or '127.0.0.1'
        unresolved = self.conf.get('routing', {}).get('unresolvedBackends', 'Blackhole')
        if 'backendRef' in outbound:  # K17: no object is known here
            ref = outbound['backendRef']
            named = {f: ref[f] for f in ('kind', 'name', 'labels') if f in ref}
            return {'address': address, 'port': outbound['port'],
                    'destination': dict(named, port=ref.get('port'), protocol='unknown'),
                    'owner': 'default', 'policies': [], 'unresolved': unresolved,
                    'backends': [dict(named, weight=1, resolved=False, reason=...)]}
        tags = dict(outbound['tags'])
        service = tags.pop(SERVICE)
        mine = [e for e in entries if self.is_about(e[2], service)]
        refs = []
        if mine:  # 3.6: the last one's list, as a whole
            rules = mine[-1][2].get('rules', [])
            refs = rules[0]['default']['backendRefs'] if rules else []
        destination = {'kind': 'MeshService', 'name': service, 'port': None,
                       'protocol': self.protocol(service)}
        if tags:
            destination['tags'] = tags
        return {
            'address': address, 'port': outbound['port'],
            'destination': destination,
            'owner': 'MeshTCPRoute' if mine else 'default',
            'policies': [dict(p.res.shown(), kind='MeshTCPRoute', origin=p.origin, to=i)
                         for p, i, _ in mine],
            'unresolved': unresolved,
            'backends': ([self.backend(r) for r in refs] if refs
                         else [self.own_backend(service, tags)])}

    def routes(self):
        out = []
        for proxy in self.proxies:
            entries = self.matched(proxy)
            out.append(dict(proxy.res.shown(), outbounds=[
                self.outbound(entries, o) for o in proxy.net.get('outbound', [])]))
        return {'zone': self.zone, 'mesh': self.mesh, 'proxies': out}


def cluster_name(service, tags):
    """5.5."""
    if not tags:
        return service
    every = dict(tags, **{SERVICE: service})
    text = ''.join(k + every[k] for k in sorted(every, key=str.encode))
    return service + '-' + hashlib.sha256(text.encode()).hexdigest()[:16]


def routes(text, zone, mesh='default'):
    """The routes JSON of these documents, without its warnings. A reason whose text the
    specification does not give is `...`, which equals any."""
    return World(parse(text), zone, mesh).routes()


def differences(want, got, path=''):
    """Where `got` is not what the oracle says, as lines of text."""
    if want is ... and isinstance(got, str) and got:
        return []
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


def main():
    args = argparse.ArgumentParser(description='the routes JSON, from the specification')
    args.add_argument('--zone', required=True)
    args.add_argument('--mesh', default='default')
    args.add_argument('files', nargs='+')
    args = args.parse_args()
    text = '\n---\n'.join(open(name, encoding='utf-8').read() for name in args.files)
    json.dump(routes(text, args.zone, args.mesh), sys.stdout, indent=2, default=str)
    print()


if __name__ == '__main__':
    main()

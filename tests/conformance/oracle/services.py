"""Who serves what: inbounds of the zone, ingresses of others, external addresses."""

import collections
import hashlib
import math

from .balancing import Noted, Strategy
from .documents import PROTOCOL, SERVICE, ZONE, contains

STACKS = {'grpc': ('grpc', 'http2', 'tcp'), 'http2': ('http2', 'tcp'),
          'http': ('http', 'tcp'), 'kafka': ('kafka', 'tcp'), 'tls': ('tcp',),
          'tcp': ('tcp',)}

Inbound = collections.namedtuple('Inbound', 'tags state address port name proxy')
Record = collections.namedtuple('Record', 'zone at ingress tags instances')


def common_protocol(protocols):
    """4.1: what they have in common, None for one that is missing."""
    common = None
    for one in protocols:
        one = one.lower() if one else 'unknown'
        if common is None or common == one:
            common = one
        elif common not in STACKS or one not in STACKS:
            common = 'unknown'
        else:
            common = next(p for p in STACKS[common] if p in STACKS[one])
    return common or 'unknown'


def cluster_name(service, tags):
    """5.5."""
    if not tags:
        return service
    every = dict(tags, **{SERVICE: service})
    text = ''.join(k + every[k] for k in sorted(every, key=str.encode))
    return service + '-' + hashlib.sha256(text.encode()).hexdigest()[:16]


def host_and_port(address):
    host, port = address.rsplit(':', 1)
    return host.strip('[]'), int(port)


def external_endpoint(address, port):
    """Kinds 8: dialled by the proxy itself (K10)."""
    return {'zone': None, 'address': address, 'port': port, 'weight': 1, 'priority': 0,
            'via': 'external'}


def sort_endpoints(endpoints):
    return sorted(endpoints, key=lambda e: (e['priority'], e['zone'] or '', e['address'],
                                            e['port']))


class Services:
    """Tag services of one mesh as one zone sees them, and where traffic may enter others."""

    def __init__(self, resources, proxies, mesh, zone, conf):
        self.zone = zone
        self.conf = conf
        self.disabled = set()
        self.silent = {}  # D13
        for r in resources:
            if r.kind == 'Zone' and r.spec.get('enabled') is False:
                self.disabled.add(r.name)
            if r.kind == 'Zone' and r.status.get('condition') in ('Stale', 'Offline'):
                self.silent[r.name] = r.status['condition']
        self.disabled.discard(zone)  # kinds 5: nothing inside the zone changes
        self.inbounds = [i for p in proxies for i in self.inbounds_of(p)]
        self.gates = []  # (zone, coordinates, ingress) of what is advertised
        self.records = []
        for r in resources:
            if r.kind == 'ZoneIngress':
                self.read_ingress(r, mesh)
        self.has_mtls = bool(conf.get('mtls', {}).get('enabledBackend'))
        self.by_egress = bool(conf.get('routing', {}).get('zoneEgress') and self.has_mtls)
        self.egresses = sorted({(r.spec['networking']['address'], r.spec['networking']['port'])
                                for r in resources
                                if r.kind == 'ZoneEgress' and self.zone_of(r) == zone})
        self.is_remote = False  # who asks is an egress: what is here is none of its
        self.externals = [r for r in resources if r.kind == 'ExternalService' and
                          r.mesh == mesh]

    def inbounds_of(self, proxy):
        """6.5, kinds 2."""
        for inbound in proxy.net.get('inbound', []):
            state = inbound.get('state', 'Ready')
            if state == 'Ready' and not inbound.get('health', {'ready': True}).get('ready', False):
                state = 'NotReady'
            address = (proxy.net.get('advertisedAddress') or inbound.get('address') or
                       proxy.net['address'])
            yield Inbound(dict(inbound.get('tags', {}), **{ZONE: self.zone}), state, address,
                          inbound['port'], inbound.get('name') or str(inbound['port']), proxy)

    def zone_of(self, r):
        """Kinds 3, 4: of an ingress or egress."""
        return r.spec.get('zone') or r.labels.get(ZONE) or self.zone

    def read_ingress(self, r, mesh):
        zone = self.zone_of(r)
        if zone == self.zone or zone in self.disabled:
            return
        net = r.spec['networking']
        at = None
        if net.get('advertisedAddress'):
            at = (net['advertisedAddress'], net['advertisedPort'])
            self.gates.append((zone, at, r.name))
        for record in r.spec.get('availableServices', []):
            if record.get('mesh', 'default') == mesh:
                self.records.append(Record(zone, at, r.name,
                                           dict(record['tags'], **{ZONE: zone}),
                                           record.get('instances', 0)))

    def names(self):
        return sorted({t[SERVICE] for t in [i.tags for i in self.inbounds] +
                       [r.tags for r in self.records] +
                       [e.spec['tags'] for e in self.externals]})

    def has_dataplanes(self, service):
        return (any(i.tags.get(SERVICE) == service for i in self.inbounds) or
                any(r.tags.get(SERVICE) == service for r in self.records))

    def is_known(self, service):
        """D18, kinds 9."""
        return (self.has_dataplanes(service) or
                any(e.spec['tags'].get(SERVICE) == service for e in self.externals))

    def is_external(self, service):
        return self.is_known(service) and not self.has_dataplanes(service)

    def external_of(self, service):
        """Kinds 9: those that count."""
        if self.has_dataplanes(service):
            return []
        mine = sorted((e for e in self.externals if e.spec['tags'].get(SERVICE) == service),
                      key=lambda e: e.name)
        return [e for e in mine if tls_of(e) == tls_of(mine[0]) and
                e.spec['tags'].get(ZONE, self.zone) == self.zone]

    def protocol(self, service):
        """4.1: what all endpoints have in common."""
        return common_protocol(
            [i.tags.get(PROTOCOL) for i in self.inbounds
             if i.tags.get(SERVICE) == service and i.state == 'Ready'] +
            [r.tags.get(PROTOCOL) for r in self.records
             if r.tags.get(SERVICE) == service and r.at and r.instances > 0] +
            [e.spec['tags'].get(PROTOCOL) for e in self.external_of(service)])

    def endpoints(self, service, tags, strategy=Strategy()):
        wanted = dict(tags, **{SERVICE: service})
        external = self.external_of(service)
        if external:
            return self.outside(
                external_endpoint(*host_and_port(e.spec['networking']['address']))
                for e in external if contains(e.spec['tags'], wanted))
        return self.placed(
            [i for i in self.inbounds if i.state == 'Ready' and contains(i.tags, wanted)],
            [r for r in self.records if contains(r.tags, wanted)], strategy)

    def outside(self, endpoints):
        """Kinds 4, 8: what is outside is dialled by the egress where there is to be one."""
        endpoints = sort_endpoints(endpoints)
        return self.exits(0) if endpoints and self.by_egress else endpoints

    def exits(self, level):
        return [{'zone': self.zone, 'address': address, 'port': port, 'weight': 1,
                 'priority': level, 'via': 'egress'} for address, port in self.egresses]

    def placed(self, inbounds, records, strategy=Strategy()):
        """Priorities and weights: 6.5, 6.6, D13, D17, D21, D27."""
        out = [] if self.is_remote else [self.direct(i, strategy) for i in inbounds]
        zones = self.entrances(records, out, strategy)
        if zones and self.by_egress:
            return sort_endpoints(out + self.exits(1 if out else 0))
        unit = math.lcm(*(len(ingresses) for ingresses in zones.values()))
        for endpoint in out:
            endpoint['weight'] = unit
        for zone, ingresses in zones.items():
            most = max(n for counts in ingresses.values() for n in counts.values())
            level = self.level(zone, strategy)
            out += [{'zone': zone, 'address': address, 'port': port, 'priority': level,
                     'weight': unit * most // len(ingresses), 'via': 'ingress'}
                    for address, port in ingresses]
        levels = sorted({e['priority'] for e in out})
        for endpoint in out:  # no holes
            endpoint['priority'] = levels.index(endpoint['priority'])
        return sort_endpoints(out)

    def direct(self, inbound, strategy):
        out = Noted(zone=self.zone, address=inbound.address, port=inbound.port, weight=1,
                    priority=0, via='direct')
        out.facts = strategy.group_of(inbound.tags)
        if out.facts and out.facts[0]:
            out['subZone'] = out.facts[0]
        return out

    def level(self, zone, strategy):
        """Of a zone's endpoints, 0 beside the local ones; None: taken out."""
        is_aware = self.conf.get('routing', {}).get('localityAwareLoadBalancing', True)
        level = strategy.level(zone, is_aware)
        if level is None or zone not in self.silent:
            return level if level is None or self.has_mtls else max(level, 1)
        return math.inf  # D13

    def entrances(self, records, locals_, strategy):
        """{zone: {coordinates: {ingress: instances}}} of what is not withdrawn (D13)."""
        zones = {}
        for r in records:
            if (r.at is not None and r.instances > 0 and
                    self.level(r.zone, strategy) is not None):
                counts = zones.setdefault(r.zone, {}).setdefault(r.at, {})
                counts[r.ingress] = counts.get(r.ingress, 0) + r.instances
        here = {z: c for z, c in zones.items() if self.silent.get(z) != 'Offline'}
        return here if here or locals_ else zones


def tls_of(external):
    """How it is dialled: all ways without TLS are one."""
    tls = external.spec['networking'].get('tls', {})
    return {k: v for k, v in tls.items() if v is not False} if tls.get('enabled') else {}

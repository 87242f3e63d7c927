"""MeshService, MeshMultiZoneService and MeshExternalService objects (kinds 6 to 8)."""

import collections
import re

from .documents import (DISPLAY_NAME, MESH, NAMESPACE, OBJECT_KINDS, ORIGIN, PROTOCOL, SERVICE,
                        ZONE, Resource, contains, kri)
from .balancing import Strategy
from .services import Record, common_protocol, external_endpoint

SHORT = {'MeshService': 'msvc', 'MeshExternalService': 'extsvc',
         'MeshMultiZoneService': 'mzsvc'}

# section: the name accessor; spec: of the document
Port = collections.namedtuple('Port', 'number section protocol spec')


class Object:
    def __init__(self, res, zone):
        self.res = res
        self.kind = res.kind
        self.name = res.name
        self.namespace = res.namespace
        self.spec = res.spec
        self.labels = dict({ORIGIN: 'global'}, **res.labels)
        if self.kind == 'MeshService' and res.labels.get(ORIGIN, 'zone') == 'zone':
            self.labels.update({ORIGIN: 'zone', ZONE: res.labels.get(ZONE, zone)})  # design 7
        self.labels.update({DISPLAY_NAME: res.name, MESH: res.mesh})
        # Whose it is (design 5); a label on what global wrote says where it is of use.
        of_zone = self.kind == 'MeshService' or self.labels[ORIGIN] == 'zone'
        self.zone = self.labels.get(ZONE, '') if of_zone else ''
        self.ports = self.find_ports()

    def find_ports(self):
        if self.kind == 'MeshExternalService':
            match = self.spec['match']
            return [Port(match['port'], str(match['port']), match.get('protocol', 'tcp'), match)]
        return [Port(p['port'], p.get('name') or str(p['port']), p.get('appProtocol', 'tcp'), p)
                for p in self.spec.get('ports', [])]

    def kri(self, section=''):
        return kri(SHORT[self.kind], self.res.mesh, self.zone, self.namespace, self.name, section)

    def port(self, section, number):
        """5.4 step 6."""
        if self.kind == 'MeshExternalService':
            return self.ports[0]
        section = section or (str(number) if number else '')
        if not section:
            return self.ports[0] if len(self.ports) == 1 else None
        return next((p for p in self.ports if section in (p.section, str(p.number))), None)


class Objects:
    def __init__(self, resources, services, mesh, zone, conf):
        self.zone = zone
        self.services = services
        self.all = [Object(r, zone) for r in resources
                    if r.kind in OBJECT_KINDS and r.mesh == mesh]
        self.all = [o for o in self.all  # kinds 5
                    if o.kind != 'MeshService' or o.zone not in services.disabled]
        if conf.get('meshServices', {}).get('mode', 'Disabled') != 'Disabled':
            self.all += [Object(Resource(doc), zone) for doc in self.derived(mesh)]
        self.all.sort(key=lambda o: (o.zone != zone, o.kri()))

    # -- finding -------------------------------------------------------------------

    def labelled(self, kind, labels):
        """D8: the own zone's first, then by KRI."""
        return [o for o in self.all if o.kind == kind and
                all(o.labels.get(k) == v for k, v in labels.items())]

    def named(self, kind, name, namespace):
        """D5: the own zone's, then the only one of the mesh."""
        found = [o for o in self.all if o.kind == kind and o.name == name and
                 namespace in ('', o.namespace)]
        found = [o for o in found if o.zone == self.zone] or found
        return found[0] if len(found) == 1 else None

    def find(self, ref, namespace):
        """Of a ref in a policy of this namespace; "": none, or one for all (5.4)."""
        labels = ref.get('labels')
        if labels:
            if namespace and DISPLAY_NAME in labels and NAMESPACE not in labels:
                labels = dict(labels, **{NAMESPACE: namespace})
            return next(iter(self.labelled(ref['kind'], labels)), None)
        return self.named(ref['kind'], ref.get('name'), ref.get('namespace') or namespace)

    # -- endpoints -----------------------------------------------------------------

    def endpoints(self, obj, port, strategy=Strategy()):
        if obj.kind == 'MeshExternalService':
            if obj.labels.get(ZONE, self.zone) != self.zone:
                return []
            return self.services.outside(external_endpoint(e['address'], e['port'])
                                         for e in obj.spec.get('endpoints', []))
        if obj.kind == 'MeshService':
            members = [(obj, port)]
        else:
            members = [(m, p) for m in self.members(obj) for p in [twin(m, port)] if p]
        inbounds = [i for i in self.services.inbounds if i.state == 'Ready' and
                    any(o.zone == self.zone and serves(o, p, i) for o, p in members)]
        records = []
        for zone in sorted({o.zone for o, _ in members} - {self.zone}):
            records += self.records(zone, [o for o, _ in members if o.zone == zone])
        return self.services.placed(inbounds, records, strategy)

    def members(self, multi):
        """Kinds 7: local ones always, others only while available."""
        match = multi.spec['selector']['meshService']['matchLabels']
        return [o for o in self.labelled('MeshService', match)
                if o.zone == self.zone or o.spec.get('state') == 'Available']

    def records(self, zone, objects):
        """D27: what the zone's ingresses say of these objects' services; where they say
        nothing, each of them is taken for one instance."""
        wanted = [o.spec['selector']['dataplaneTags'] for o in objects
                  if 'dataplaneTags' in o.spec.get('selector', {})]
        found = [r for r in self.services.records if r.zone == zone and
                 any(contains(r.tags, w) for w in wanted)]
        return found or [Record(zone, at, ingress, {}, 1)
                         for z, at, ingress in self.services.gates if z == zone]

    # -- derived -------------------------------------------------------------------

    def derived(self, mesh):
        """K9: a function of the zone's Dataplanes."""
        written = {o.name for o in self.all if o.kind == 'MeshService' and o.zone == self.zone}
        by_service = {}
        for inbound in self.services.inbounds:
            by_service.setdefault(inbound.tags.get(SERVICE), []).append(inbound)
        for service, inbounds in sorted(by_service.items()):
            if service in written or not re.fullmatch('[a-z]([-a-z0-9]{0,61}[a-z0-9])?', service):
                continue
            yield {'type': 'MeshService', 'name': service, 'mesh': mesh,
                   'labels': {ZONE: self.zone, ORIGIN: 'zone', 'kuma.io/env': 'universal',
                              'kuma.io/managed-by': 'meshservice-generator'},
                   'spec': {'selector': {'dataplaneTags': {SERVICE: service}},
                            'ports': derived_ports(inbounds)}}


def twin(member, port):
    """Kinds 7: the member's port of the same name, else of the same number."""
    return (next((p for p in member.ports if p.section == port.section), None) or
            next((p for p in member.ports if p.number == port.number), None))


def serves(obj, port, inbound):
    """K7, K8."""
    selector = obj.spec.get('selector', {})
    if 'dataplaneTags' in selector:
        selected = contains(inbound.tags, selector['dataplaneTags'])
    else:
        proxy = inbound.proxy.res
        selected = (proxy.name == selector.get('dataplaneRef', {}).get('name') and
                    proxy.namespace == obj.namespace)
    target = port.spec.get('targetPort', port.number)
    return selected and target == (inbound.port if isinstance(target, int) else inbound.name)


def derived_ports(inbounds):
    """Inbounds come by the name of their Dataplane."""
    numbers = {}
    for inbound in inbounds:
        numbers.setdefault(inbound.port, []).append(inbound)
    return [{'port': number, 'targetPort': number, 'name': same[0].name,
             'appProtocol': common_protocol([i.tags.get(PROTOCOL) or 'tcp' for i in same])}
            for number, same in sorted(numbers.items())]

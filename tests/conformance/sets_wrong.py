"""Documents that are wrong somewhere, or just not (oracle/violations.py)."""

from sets_zones import Zones
from vocabulary import OWN, SERVICES, ZONES


class Wrong(Zones):
    def wrong_egress(self):
        net = {'address': self.pick(('10.10.0.1', '', '0.0.0.0', '::', 'a.example.com', 'a_b')),
               'port': self.pick((1, 10002, 65535, 0, 65536))}
        if self.some(0.3):
            net['admin'] = {'port': self.pick((10002, 9901))}
        for field in ('address', 'port'):
            if self.some(0.1):
                del net[field]
        doc = {'type': 'ZoneEgress', 'name': 'e', 'networking': net}
        if self.some(0.4):
            doc['zone'] = self.pick(ZONES[:2])
        if self.some(0.4):
            doc['labels'] = {'kuma.io/zone': self.pick(ZONES[:2])}
        if self.some(0.05):
            del doc['networking']
        return doc

    def wrong_strategy(self):
        doc = {'type': 'MeshLoadBalancingStrategy', 'name': 's', 'spec': {
            'to': [self.wrong_entry() for _ in self.up_to(2)]}}
        if self.some(0.5):
            doc['spec']['targetRef'] = {'kind': self.pick((
                'Mesh', 'Dataplane', 'MeshExternalService', 'MeshHTTPRoute', 'MeshGateway'))}
        return doc

    def wrong_entry(self):
        ref = {'kind': self.pick(('Mesh', 'MeshService', 'MeshService', 'MeshMultiZoneService',
                                  'MeshExternalService', 'MeshServiceSubset'))}
        if ref['kind'] != 'Mesh':
            ref['name'] = self.pick(SERVICES[:3])
        if ref['kind'] == 'MeshService' and self.some(0.5):
            ref = self.pick(({'kind': 'MeshService', 'labels': {'app': 'a'}},
                             dict(ref, sectionName='http')))
        out = {'targetRef': ref, 'default': {'localityAwareness': self.wrong_locality()}}
        if self.some(0.1):
            del out['default']
        return out

    def wrong_locality(self):
        out = {}
        if self.some(0.5):
            out['localZone'] = {'affinityTags': [self.wrong_tag() for _ in self.up_to(3)]}
        if self.some(0.6):
            out['crossZone'] = {'failover': [self.wrong_rule() for _ in self.up_to(2)]}
            if self.some(0.5):
                out['crossZone']['failoverThreshold'] = {'percentage': self.pick(
                    (1, 100, '0.5', 0, -1, 101, '0', '100.5', '-0.1', '1.2.3', 'x', ''))}
        return out

    def wrong_tag(self):
        out = {'key': self.pick(('rack', 'row', ''))}
        if self.some(0.4):
            out['weight'] = self.pick((1, 9, 0))
        return out

    def wrong_rule(self):
        out = {'to': {'type': self.pick(('Any', 'None', 'Only', 'AnyExcept', 'Other', 'any'))}}
        if self.some(0.5):
            out['to']['zones'] = self.pick(([], [OWN], list(ZONES)))
        if self.some(0.4):
            out['from'] = self.pick(({}, {'zones': []}, {'zones': [OWN, '']}, {'zones': [OWN]}))
        return out

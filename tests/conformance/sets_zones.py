"""Zone proxies and MeshLoadBalancingStrategies of the random sets."""

from sets_objects import Objects
from vocabulary import NAMESPACES, OWN, SERVICES, ZONES

KEYS = ('version', 'region', 'kuma.io/zone', 'rack', 'app')


class Zones(Objects):
    def ingress(self, n):
        zone = self.pick(ZONES)
        net = {'address': '10.0.0.%d' % (n + 1), 'port': 10001}
        if self.some(0.9):
            net['advertisedAddress'] = '10.%d.0.%d' % (ZONES.index(zone), self.dice.randint(1, 3))
            net['advertisedPort'] = self.pick((10001, 10002))
        records = []
        for _ in range(self.dice.randint(0, 5)):
            tags = self.service_tags()
            if self.some(0.8):
                tags['kuma.io/zone'] = zone
            records.append({'tags': tags, 'instances': self.dice.randint(0, 4)})
            if self.some(0.5):
                records[-1]['mesh'] = self.pick(('default', 'default', 'other'))
        body = {'networking': net, 'availableServices': records}
        self.put_zone_proxy('ZoneIngress', 'ingress-%d' % n, zone, body)

    def egress(self, n):
        body = {'networking': {'address': '10.10.0.%d' % self.dice.randint(1, 3),
                               'port': 10002 + n}}
        self.put_zone_proxy('ZoneEgress', 'egress-%d' % n,
                            self.pick((OWN, OWN, OWN, ZONES[1])), body)

    def put_zone_proxy(self, kind, name, zone, body):
        labels = {}
        if self.some(0.7):
            body['zone'] = zone
        elif zone != OWN or self.some(0.5):
            labels['kuma.io/zone'] = zone
        self.put(kind, name, None, labels, body, True)

    # -- MeshLoadBalancingStrategy ---------------------------------------------------

    def locality(self):
        out = {}
        if self.some(0.3):
            out['disabled'] = self.some(0.5)
        if self.some(0.6):
            out['localZone'] = {}
            if self.some(0.85):
                out['localZone']['affinityTags'] = self.affinity()
        if self.some(0.6):
            out['crossZone'] = {}
            if self.some(0.85):
                out['crossZone']['failover'] = [self.failover() for _ in self.up_to(3)]
            if self.some(0.5):
                out['crossZone']['failoverThreshold'] = {'percentage': self.pick(
                    (1, 32, 50, 70, 100, '33.3', '0.5'))}
        return out

    def affinity(self):
        tags = [{'key': key} for key in self.dice.sample(KEYS, self.dice.randint(0, 3))]
        if self.some(0.3):
            tags = [dict(tag, weight=self.pick((1, 9, 1000))) for tag in tags]
        return tags

    def failover(self):
        kind = self.pick(('Any', 'None', 'Only', 'Only', 'AnyExcept'))
        out = {'to': {'type': kind}}
        if kind in ('Only', 'AnyExcept'):
            out['to']['zones'] = self.dice.sample(ZONES, self.dice.randint(1, 2))
        if self.some(0.3):
            out['from'] = {'zones': self.dice.sample(ZONES, self.dice.randint(1, 3))}
        return out

    def balanced(self):
        """One entry of a `to`."""
        ref = {'kind': 'Mesh'}
        if self.some(0.4):
            ref = {'kind': 'MeshService', 'name': self.pick(SERVICES)}
        elif self.some(0.5):
            ref = self.object_ref(('MeshService', 'MeshMultiZoneService'))
        locality = self.locality()
        if ref['kind'] == 'MeshService' and ('labels' in ref or 'sectionName' in ref or
                                             'port' in ref):
            locality.pop('crossZone', None)  # their traffic is local
        return {'targetRef': ref, 'default': {'localityAwareness': locality}
                if self.some(0.95) else {}}

    def strategy(self):
        namespace = self.pick(NAMESPACES) if self.some(0.2) else None
        self.put_policy('MeshLoadBalancingStrategy', 'near-%s' % self.pick('abcd'), namespace, {
            'to': [self.balanced() for _ in range(self.dice.randint(1, 3))]})

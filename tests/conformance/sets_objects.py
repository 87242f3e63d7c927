"""Service objects, external services and gateways of the random sets."""

from vocabulary import NAMESPACES, OBJECTS, OWN, PORT, PORTS, PROTOCOLS, SERVICES, TAGS, ZONES, Dice


class Objects(Dice):
    def ports(self, with_targets):
        out = []
        for number in sorted(PORTS):
            if self.some(0.6) and (out or with_targets and self.some(0.3)):
                continue
            port = {'port': number}
            if PORTS[number] and self.some(0.7):
                port['name'] = PORTS[number]
            if with_targets and self.some(0.8):
                port['targetPort'] = self.pick((8000, 8000, 8000, 8001, '8000', 'main'))
            if self.some(0.5):
                port['appProtocol'] = self.pick(PROTOCOLS)
            out.append(port)
        return out

    def place(self):
        """(labels, zone of the identity) of a MeshService."""
        labels = self.labels()
        if self.some(0.6):
            return labels, OWN
        zone = self.pick(ZONES)
        labels['kuma.io/zone'] = zone
        if self.some(0.7):
            labels['kuma.io/origin'] = 'global' if zone != OWN else 'zone'
        return labels, zone

    def mesh_service(self):
        labels, zone = self.place()
        selector = {'dataplaneTags': dict(self.tags(0.2), **{
            'kuma.io/service': self.pick(SERVICES[:3])})}
        if self.some(0.1):
            selector = {'dataplaneRef': {'name': 'dp-%d' % self.dice.randint(1, 3)}}
        body = {'selector': selector, 'ports': self.ports(True)}
        if self.some(0.7):
            body['state'] = self.pick(('Available', 'Available', 'Unavailable'))
        self.put('MeshService', self.pick(OBJECTS), self.some_mesh(), labels, body, False,
                 self.pick(NAMESPACES) if self.some(0.2) else None, zone)

    def multi_zone_service(self):
        match = self.labels(0.3)
        if not match or self.some(0.1):
            match['kuma.io/display-name'] = self.pick(OBJECTS)
        if self.some(0.1):
            match['kuma.io/zone'] = self.pick(ZONES)
        body = {'selector': {'meshService': {'matchLabels': match}}, 'ports': self.ports(False)}
        self.put('MeshMultiZoneService', self.pick(OBJECTS), self.some_mesh(), self.labels(),
                 body, False, 'kuma-system' if self.some(0.2) else None)

    def mesh_external_service(self):
        labels = self.labels()
        zone = ''
        if self.some(0.15):
            zone = self.pick(ZONES)
            labels.update({'kuma.io/origin': 'zone', 'kuma.io/zone': zone})
        match = {'port': self.pick(PORT)}
        if self.some(0.6):
            match['protocol'] = self.pick(PROTOCOLS[:4])
        body = {'match': match, 'endpoints': [
            {'address': self.pick(('10.9.0.1', 'a.example.com', 'fd00::1')), 'port': 440 + n}
            for n in self.up_to(3)]}
        if self.some(0.3):
            body['tls'] = {'enabled': self.some(0.7)}
        self.put('MeshExternalService', self.pick(OBJECTS), self.some_mesh(), labels, body,
                 False, 'kuma-system' if self.some(0.2) else None, zone)

    def external_service(self, n):
        tags = dict(self.tags(), **{'kuma.io/service': self.pick(('ext', 'ext', 'db'))})
        if self.some(0.6):
            tags['kuma.io/protocol'] = self.pick(PROTOCOLS[:4])
        if self.some(0.15):
            tags['kuma.io/zone'] = self.pick(ZONES[:2])
        net = {'address': self.pick(('10.9.1.%d:443', 'host-%d.example.com:80', '[fd00::%d]:1'))
                          % n}
        if self.some(0.3):
            net['tls'] = {'enabled': self.some(0.5)}
        self.put('ExternalService', 'external-%d' % n, self.some_mesh(), {},
                 {'tags': tags, 'networking': net}, True)

    def object_ref(self, kinds=('MeshService', 'MeshService', 'MeshMultiZoneService',
                                'MeshExternalService')):
        """By name or by labels, with a port where the kind needs one."""
        out = {'kind': self.pick(kinds)}
        if self.some(0.6):
            out['name'] = self.pick(OBJECTS)
            if out['kind'] == 'MeshService' and self.some(0.1):
                out['namespace'] = self.pick(NAMESPACES)
        else:
            out['labels'] = self.labels(0.4)
            if not out['labels'] or self.some(0.2):
                out['labels']['kuma.io/display-name'] = self.pick(OBJECTS)
            if self.some(0.15):
                out['labels']['kuma.io/zone'] = self.pick(ZONES)
        if out['kind'] == 'MeshMultiZoneService' or self.some(0.5):
            out['port'] = self.pick(PORT)
        elif out['kind'] == 'MeshService' and self.some(0.3):
            out['sectionName'] = self.pick(('http', 'sql', '80', '9090'))
        return out

    def object_outbound(self, number):
        ref = self.object_ref()
        ref.pop('sectionName', None)
        ref.pop('namespace', None)
        if ref['kind'] != 'MeshExternalService':
            ref.setdefault('port', self.pick(PORT))
        return {'port': number, 'backendRef': ref}

    # -- gateways ------------------------------------------------------------------

    def builtin(self, n):
        tags = dict(self.tags(), **{'kuma.io/service': self.pick(('edge',) * 5 + ('web',))})
        self.put('Dataplane', 'edge-%d' % n, 'default', self.labels(), {'networking': {
            'address': '192.168.2.%d' % (n + 1), 'gateway': {'type': 'BUILTIN', 'tags': tags}}},
                 True)

    def listener(self, port):
        out = {'port': port, 'protocol': self.pick(('TCP', 'TCP', 'TLS', 'TLS', 'HTTP'))}
        if out['protocol'] == 'TLS':
            out['tls'] = {'mode': 'PASSTHROUGH'}
            if self.some(0.7):
                out['hostname'] = self.pick(('a.example.org', '*.example.org'))
        if self.some(0.6):
            out['tags'] = dict(self.tags(), **{'port': str(port)})
        return out

    def mesh_gateway(self):
        labels = {}
        zone = ''
        if self.some(0.2):
            zone = self.pick(ZONES[:2])
            labels = {'kuma.io/origin': 'zone', 'kuma.io/zone': zone}
        match = dict(self.tags(0.2), **{'kuma.io/service': self.pick(('edge',) * 5 + ('web',))})
        body = {'selectors': [{'match': match}], 'conf': {'listeners': [
            self.listener(9000 + n) for n in range(self.dice.randint(1, 3))]}}
        if self.some(0.4):
            body['tags'] = self.tags()
        self.put('MeshGateway', self.pick(('edge', 'edge', 'edgy')), self.some_mesh(), labels, body, True,
                 None, zone)

    # -- TrafficRoute --------------------------------------------------------------

    def traffic_route(self):
        def selector(tags, services):
            tags['kuma.io/service'] = self.pick(services)
            return {'match': tags}

        def destination():
            tags = {k: self.pick(v + ('*',)) for k, v in TAGS.items() if self.some(0.3)}
            return dict(tags, **{'kuma.io/service': self.pick(SERVICES + ('*', 'ext'))})

        if self.some(0.4):
            conf = {'destination': destination()}
        else:
            conf = {'split': [{'weight': self.pick((0, 1, 90)), 'destination': destination()}
                              for _ in range(self.dice.randint(1, 3))]}
            conf['split'][-1]['weight'] = 10
        body = {'sources': [selector(self.wanted(False), SERVICES[:3] + ('*',))
                            for _ in range(self.dice.randint(1, 2))],
                'destinations': [selector({}, SERVICES[:3] + ('*', 'ext'))
                                 for _ in range(self.dice.randint(1, 2))],
                'conf': conf}
        self.put('TrafficRoute', 'old-%s' % self.pick('abc'), self.some_mesh(), {}, body, True)

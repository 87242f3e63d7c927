"""Policies that attach to routes, and their legacy forms, of the random sets."""

from sets_objects import Objects
from vocabulary import NAMESPACES, SERVICES

TIMES = ('1s', '2s', '500ms', '1m30s')
LISTS = {'MeshTimeout': ('to', 'to', 'from', 'rules'), 'MeshRetry': ('to',),
         'MeshHealthCheck': ('to',), 'MeshCircuitBreaker': ('to', 'to', 'rules'),
         'MeshAccessLog': ('to', 'from', 'rules'),
         'MeshTrafficPermission': ('from', 'from', 'rules')}
FORMATS = (None, {'type': 'Plain', 'plain': '%KUMA_SOURCE_SERVICE% %DURATION%'},
           {'type': 'Json', 'json': [{'key': 'to', 'value': '%KUMA_DESTINATION_SERVICE%'}]})


class Attached(Objects):
    def maybe(self, chance, **fields):
        """Some of the fields, at least one."""
        out = {key: make() for key, make in fields.items() if self.some(chance)}
        if not out:
            key = self.pick(sorted(fields))
            out[key] = fields[key]()
        return out

    def time(self):
        return self.pick(TIMES)

    def time_or_off(self):
        return self.pick(TIMES + ('0s',))

    def small(self):
        return self.dice.randint(1, 4)

    # -- confs -----------------------------------------------------------------------

    def timeout_conf(self):
        return self.maybe(0.5, connectionTimeout=self.time, idleTimeout=self.time_or_off,
                          http=self.http_times)

    def http_times(self):
        return self.maybe(0.4, requestTimeout=self.time_or_off, streamIdleTimeout=self.time,
                          maxStreamDuration=self.time, maxConnectionDuration=self.time)

    def retry_conf(self):
        return self.maybe(0.5, tcp=lambda: {'maxConnectAttempt': self.small()},
                          http=self.tries, grpc=self.tries)

    def tries(self):
        return self.maybe(0.5, numRetries=self.small, perTryTimeout=self.time_or_off,
                          backOff=lambda: self.maybe(0.6, baseInterval=self.time,
                                                     maxInterval=self.time))

    def check_conf(self):
        out = {}
        if self.some(0.8):
            out = self.maybe(0.4, interval=self.time, timeout=self.time,
                             unhealthyThreshold=self.small, healthyThreshold=self.small,
                             healthyPanicThreshold=lambda: self.pick((0, 30, '62.5')))
        checkers = self.maybe(
            0.5, tcp=lambda: self.pick(({}, {'send': 'aGk='}, {'disabled': True})),
            http=lambda: self.pick(({}, {'path': '/ready'}, {'disabled': True})),
            grpc=lambda: self.pick(({}, {'disabled': True})))
        return dict(out, **checkers)

    def breaker_conf(self):
        return self.maybe(0.6, connectionLimits=self.limits, outlierDetection=self.detection)

    def limits(self):
        return self.maybe(0.4, maxConnections=self.small, maxPendingRequests=self.small,
                          maxRequests=self.small, maxRetries=self.small,
                          maxConnectionPools=self.small)

    def detection(self):
        out = {'detectors': self.maybe(
            0.4, totalFailures=self.in_a_row, gatewayFailures=self.in_a_row,
            localOriginFailures=self.in_a_row)}
        for field, values in (('disabled', (True, False)), ('interval', TIMES),
                              ('splitExternalAndLocalErrors', (True, False)),
                              ('maxEjectionPercent', (0, 20, 100)),
                              ('healthyPanicThreshold', (0, '12.5'))):
            if self.some(0.25):
                out[field] = self.pick(values)
        return out

    def in_a_row(self):
        return {'consecutive': self.small()}

    def log_conf(self):
        return {'backends': [self.log_backend() for _ in self.up_to(2)]}

    def log_backend(self):
        body = {'path': '/tmp/%s.log' % self.pick('abc')}
        kind = 'File'
        if self.some(0.4):
            kind, body = 'Tcp', {'address': self.pick(('logs:5000', '10.9.9.9:5000'))}
        form = self.pick(FORMATS)
        if form:
            body['format'] = form
        return {'type': kind, kind.lower(): body}

    # -- documents -------------------------------------------------------------------

    def attached_policy(self):
        kind = self.pick(sorted(LISTS))
        where = self.pick(LISTS[kind])
        namespace = self.pick(NAMESPACES) if self.some(0.15) else None
        count = self.dice.randint(1, 3)
        if kind == 'MeshTrafficPermission':
            make = self.client_entry if where == 'from' else self.client_rule
        else:
            conf = {'MeshTimeout': self.timeout_conf, 'MeshRetry': self.retry_conf,
                    'MeshHealthCheck': self.check_conf, 'MeshCircuitBreaker': self.breaker_conf,
                    'MeshAccessLog': self.log_conf}[kind]

            def make():
                out = {'default': conf()}
                if where != 'rules':
                    out['targetRef'] = {'kind': 'Mesh'} if where == 'from' else \
                        self.attached_ref(kind)
                return out

        self.put_attached(kind, namespace, where, [make() for _ in range(count)])

    def attached_ref(self, kind):
        if self.some(0.35):
            return {'kind': 'Mesh'}
        if self.some(0.6):
            return {'kind': 'MeshService', 'name': self.pick(SERVICES + ('ext',))}
        kinds = ('MeshService', 'MeshMultiZoneService', 'MeshExternalService')
        return self.object_ref(kinds[:2] if kind in ('MeshHealthCheck', 'MeshCircuitBreaker')
                               else kinds)

    def put_attached(self, kind, namespace, where, items):
        name = 'on-%s' % self.pick('abcd')
        if where == 'to':
            self.put_policy(kind, name, namespace, {'to': items})
            return
        top = self.top()
        if top['kind'] == 'Dataplane' and self.some(0.4):
            top['sectionName'] = self.pick(('main', '8000', '8001', 'port-1'))
        labels, zone = self.origin()
        body = {where: items}
        if self.some(0.8):
            body['targetRef'] = top
        self.put(kind, name, self.some_mesh(), labels, body, False, namespace, zone)

    def client_entry(self):
        tags = self.wanted(False)
        ref = self.pick(({'kind': 'Mesh'}, {'kind': 'MeshService', 'name': self.pick(SERVICES[:3])},
                         {'kind': 'MeshSubset', 'tags': dict(tags, region='eu')},
                         {'kind': 'MeshSubset', 'tags': {'kuma.io/service': self.pick(SERVICES)}},
                         {'kind': 'MeshServiceSubset', 'name': 'web', 'tags': {'version': 'v1'}}))
        return {'targetRef': ref, 'default': {'action': self.pick(
            ('Allow', 'Allow', 'Deny', 'AllowWithShadowDeny'))}}

    def client_rule(self):
        def names():
            return [{'spiffeID': self.pick((
                {'type': 'Exact', 'value': 'spiffe://default/%s' % self.pick(SERVICES)},
                {'type': 'Prefix', 'value': 'spiffe://default/%s' % self.pick(
                    ('', 'w', 'team/'))}))} for _ in range(self.dice.randint(1, 2))]
        return {'default': self.maybe(0.5, allow=names, allowWithShadowDeny=names, deny=names)}

    def old_policy(self):
        kind = self.pick(('Timeout', 'Retry', 'HealthCheck', 'CircuitBreaker', 'TrafficLog',
                          'TrafficPermission'))
        conf = {
            'Timeout': lambda: self.maybe(0.6, connectTimeout=self.time, tcp=lambda: {
                'idleTimeout': self.time()}),
            'Retry': lambda: self.maybe(0.7, tcp=lambda: {'maxConnectAttempts': self.small()},
                                        http=lambda: {'numRetries': self.small()}),
            'HealthCheck': lambda: dict(
                {'interval': self.time(), 'timeout': self.time(), 'unhealthyThreshold': 2,
                 'healthyThreshold': 1}, **self.pick(({}, {'tcp': {'send': 'aGk='}}))),
            'CircuitBreaker': lambda: self.maybe(
                0.6, thresholds=lambda: {'maxConnections': self.small()},
                detectors=lambda: {'gatewayErrors': {'consecutive': self.small()}}),
            'TrafficLog': lambda: self.pick(({}, {'backend': 'f'}, {'backend': 'gone'}))}
        body = {'sources': [{'match': dict(self.wanted(False), **{
            'kuma.io/service': self.pick(SERVICES[:3] + ('*', '*'))})}],
                'destinations': [{'match': {'kuma.io/service': self.pick(
                    SERVICES[:3] + ('*', '*'))}}]}
        if kind in conf:
            body['conf'] = conf[kind]()
        self.put(kind, 'older-%s' % self.pick('abc'), self.some_mesh(), {}, body, True)

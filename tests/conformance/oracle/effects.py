"""Which fields of a conf are in effect where (policies 2): the others are warned of."""

from . import merging

HTTP_LIMITS = ('connectionLimits.maxRequests', 'connectionLimits.maxRetries',
               'connectionLimits.maxConnectionPools')
CHECKERS = {'http': 'http', 'http2': 'http', 'grpc': 'grpc'}
ON_ROUTES = ('http.requestTimeout', 'http.streamIdleTimeout')
ON_TCP = ('connectionLimits.maxConnections', 'connectionLimits.maxPendingRequests')


class Use:
    """How a cluster is used: by TCP, by HTTP, and what its service speaks."""

    def __init__(self, reached, breaker):
        self.is_tcp = any(not o.is_http for o, _ in reached)
        self.is_http = any(o.is_http for o, _ in reached)
        self.protocol = getattr(reached[0][1].facts.target, 'protocol', 'tcp')
        self.breaker = breaker


def of_listener(kind, conf, outbound, has_one_cluster):
    """[(field, leaf)] of what the destination's conf says of its listener and routes."""
    found = merging.leaves(conf)
    if kind == 'MeshAccessLog':
        return found
    if kind == 'MeshTimeout' and outbound.is_http:
        fields = ON_ROUTES + ('http.requestHeadersTimeout',)
    elif kind == 'MeshTimeout':
        fields = ('idleTimeout',)
    elif kind == 'MeshRetry' and outbound.is_http:
        section = 'grpc.' if outbound.protocol == 'grpc' else 'http.'
        return [(f, l) for f, l in found if f.startswith(section)]
    elif kind == 'MeshRetry' and has_one_cluster:
        fields = ('tcp.maxConnectAttempt',)
    else:
        fields = ()
    return [(f, l) for f, l in found if f in fields]


def of_route(kind, conf, outbound):
    """The same of one rule of a MeshHTTPRoute."""
    return [(f, l) for f, l in of_listener(kind, conf, outbound, False)
            if kind == 'MeshRetry' or f in ON_ROUTES]


def idle_sections(kind, outbound):
    """Those that a conf may have in vain."""
    if kind == 'MeshTimeout':
        return () if outbound.is_http else ('http',)
    if kind == 'MeshRetry':
        used = 'tcp'
        if outbound.is_http:
            used = 'grpc' if outbound.protocol == 'grpc' else 'http'
        return [s for s in ('tcp', 'http', 'grpc') if s != used]
    return ()


def checker(conf, use):
    """2.3: 'tcp', 'http', 'grpc' or None."""
    own = 'tcp' if use.is_tcp else CHECKERS.get(use.protocol, 'tcp')

    def state(section):
        if section not in conf:
            return 'absent'
        disabled = merging.at(conf, section + '.disabled')
        return 'disabled' if disabled and disabled.value else 'there'

    if state(own) == 'disabled' and own != 'tcp':
        own = 'tcp'
    return own if state(own) == 'there' else None


def of_cluster(kind, conf, use):
    """The same of what stands on a cluster."""
    found = merging.leaves(conf)
    if kind == 'MeshTimeout':
        fields = ['connectionTimeout']
        if use.is_http:
            fields += ['idleTimeout', 'http.maxStreamDuration', 'http.maxConnectionDuration']
        return [(f, l) for f, l in found if f in fields]
    if kind == 'MeshHealthCheck':
        return of_check(found, checker(conf, use), use)
    if kind == 'MeshCircuitBreaker':
        return of_breaker(found, conf, use.is_http)
    return []


def of_check(found, section, use):
    out = []
    for field, leaf in found:
        if field == 'healthyPanicThreshold':
            if not any(f == 'outlierDetection.healthyPanicThreshold'
                       for f, _ in of_cluster('MeshCircuitBreaker', use.breaker, use)):
                out.append((field, leaf))
        elif section and (field.split('.')[0] in (section,) or
                          field.split('.')[0] not in ('tcp', 'http', 'grpc')):
            out.append((field, leaf))
    return out


def of_breaker(found, conf, is_http):
    detection = conf.get('outlierDetection', {})
    is_off = 'disabled' in detection and detection['disabled'].value
    is_split = ('splitExternalAndLocalErrors' in detection and
                detection['splitExternalAndLocalErrors'].value)
    out = []
    for field, leaf in found:
        if field.startswith('connectionLimits'):
            keep = field in ON_TCP or is_http and '.' in field
        elif is_off:
            keep = field == 'outlierDetection.disabled'
        else:
            keep = is_split or '.localOriginFailures.' not in field
        if keep:
            out.append((field, leaf))
    return out


def idle_detectors(conf):
    """W4."""
    detection = merging.plain(conf).get('outlierDetection', {})
    detectors = detection.get('detectors', {})
    is_split = detection.get('splitExternalAndLocalErrors', False)
    if detection.get('disabled'):
        return
    if 'localOriginFailures' in detectors and not is_split:
        yield 'localOriginFailures has no effect without splitExternalAndLocalErrors'
    if 'totalFailures' in detectors and is_split:
        yield 'totalFailures counts no connection failure with splitExternalAndLocalErrors'


def of_inbound(kind, conf, is_http):
    """The same of an inbound, where no word is about a route."""
    found = merging.leaves(conf)
    if kind == 'MeshTimeout' and not is_http:
        return [(f, l) for f, l in found if not f.startswith('http.')]
    if kind == 'MeshCircuitBreaker':
        return of_breaker(found, conf, is_http)
    return found

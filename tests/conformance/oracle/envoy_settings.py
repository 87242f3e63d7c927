"""What Envoy must hold of the settings that a place has (policies 2): works from `applied`
of the oracle's JSON."""

import math
import re

MANY = 4294967295
UNITS = {'h': 3600000, 'm': 60000, 's': 1000, 'ms': 1, 'us': 0.001, 'ns': 0.000001}
DETECTORS = {  # name: (what it counts, who enforces)
    'totalFailures': ('consecutive5xx', 'enforcingConsecutive5xx'),
    'gatewayFailures': ('consecutiveGatewayFailure', 'enforcingConsecutiveGatewayFailure'),
    'localOriginFailures': ('consecutiveLocalOriginFailure',
                            'enforcingConsecutiveLocalOriginFailure')}
LOGGERS = {'File': 'envoy.access_loggers.file', 'Tcp': 'envoy.access_loggers.open_telemetry',
           'OpenTelemetry': 'envoy.access_loggers.open_telemetry'}


def milliseconds(text):
    """P22: rounded up."""
    total = sum(float(number) * UNITS[unit]
                for number, unit in re.findall(r'([0-9.]+)(h|ms|us|ns|m|s)', text))
    return math.ceil(round(total, 6))


def duration(text):
    """Of protobuf's JSON, in milliseconds; None: absent."""
    return None if text is None else round(float(text[:-1]) * 1000)


def by_field(place, kind):
    """{field: value} of what is in effect."""
    return {a['field']: a['value'] for a in place.get('applied', []) if a['kind'] == kind}


def time_of(fields, name):
    return milliseconds(fields[name]) if name in fields else None


def of_connections(place, proxy):
    """[(what, wanted, there)] of a TcpProxy."""
    times = by_field(place, 'MeshTimeout')
    retries = by_field(place, 'MeshRetry')
    return [('idle timeout', time_of(times, 'idleTimeout'), duration(proxy.get('idleTimeout'))),
            ('attempts', retries.get('tcp.maxConnectAttempt'), proxy.get('maxConnectAttempts')),
            *of_logs(place, proxy)]


def of_inbound(place, proxy):
    """The same of a TcpProxy of an inbound, which waits longer than a client (2.0)."""
    times = by_field(place, 'MeshTimeout')
    return [('idle timeout', time_of(dict({'idleTimeout': '2h'}, **times), 'idleTimeout'),
             duration(proxy.get('idleTimeout'))), *of_logs(place, proxy)]


def of_raw(place):
    """The place, but for what the TcpProxy has of it."""
    return dict(place, applied=[a for a in place.get('applied', [])
                                if a['field'] != 'idleTimeout'])


def of_logs(place, filter_):
    want = [LOGGERS[b['type']]
            for b in by_field(place, 'MeshAccessLog').get('backends', [])]
    got = [l['name'] for l in filter_.get('accessLog', []) if 'filter' not in l]
    return [('access logs', want, got)]


def logged_to(extensions):
    """The clusters that access logs go to, but for the zone itself."""
    return {l['typedConfig'].get('grpcService', {}).get('envoyGrpc', {}).get('clusterName')
            for e in extensions.values() for l in e.get('accessLog', [])} - {None, 'ads'}


def of_manager(place, manager):
    """The same of an HttpConnectionManager."""
    times = by_field(place, 'MeshTimeout')
    return [('headers timeout', time_of(times, 'http.requestHeadersTimeout'),
             duration(manager.get('requestHeadersTimeout'))), *of_logs(place, manager)]


def of_route(place, action):
    """The same of a RouteAction."""
    times = by_field(place, 'MeshTimeout')
    tries = {f.split('.', 1)[1]: v for f, v in by_field(place, 'MeshRetry').items()}
    policy = action.get('retryPolicy', {})
    out = [('request timeout', time_of(times, 'http.requestTimeout') or 0,
            duration(action.get('timeout'))),
           ('stream idle timeout', time_of(times, 'http.streamIdleTimeout'),
            duration(action.get('idleTimeout'))),
           ('retries', bool(tries), bool(policy))]
    if tries:
        out += [('retry number', tries.get('numRetries'), policy.get('numRetries')),
                ('try timeout', time_of(tries, 'perTryTimeout'),
                 duration(policy.get('perTryTimeout')))]
    return out


def of_cluster(place, cluster):
    """The same of a Cluster."""
    times = by_field(place, 'MeshTimeout')
    common = next((o.get('commonHttpProtocolOptions', {}) for o in cluster.get(
        'typedExtensionProtocolOptions', {}).values()), {})
    out = [('HTTP ' + there, time_of(times, field), duration(common.get(there)))
           for field, there in (('idleTimeout', 'idleTimeout'),
                                ('http.maxStreamDuration', 'maxStreamDuration'),
                                ('http.maxConnectionDuration', 'maxConnectionDuration'))]
    if 'connectionTimeout' in times:
        out.append(('connect timeout', time_of(times, 'connectionTimeout'),
                    duration(cluster.get('connectTimeout'))))
    return out + of_check(place, cluster) + of_breaker(place, cluster)


def of_check(place, cluster):
    fields = by_field(place, 'MeshHealthCheck')
    if not set(fields) - {'healthyPanicThreshold'}:
        return []
    check = cluster.get('healthChecks', [{}])[0]
    return [('check ' + field, wanted, got) for field, wanted, got in (
        ('interval', milliseconds(fields.get('interval', '1m')),
         duration(check.get('interval'))),
        ('timeout', milliseconds(fields.get('timeout', '15s')), duration(check.get('timeout'))),
        ('unhealthy', fields.get('unhealthyThreshold', 5), check.get('unhealthyThreshold')),
        ('healthy', fields.get('healthyThreshold', 1), check.get('healthyThreshold')),
        ('send', fields.get('tcp.send'),
         check.get('tcpHealthCheck', {}).get('send', {}).get('binary')))]


def of_breaker(place, cluster):
    fields = by_field(place, 'MeshCircuitBreaker')
    limits = {f.split('.')[1]: v for f, v in fields.items() if f.startswith('connectionLimits.')}
    there = cluster.get('circuitBreakers', {}).get('thresholds', [{}])[0]
    out = [('limit ' + f, v, there.get(f)) for f, v in limits.items()]
    out += [('limit ' + f, MANY, there.get(f))
            for f in ('maxConnections', 'maxPendingRequests', 'maxRequests') if f not in limits]
    detection = {f.split('.', 1)[1]: v for f, v in fields.items()
                 if f.startswith('outlierDetection.')}
    panic = by_field(place, 'MeshHealthCheck').get(
        'healthyPanicThreshold', detection.pop('healthyPanicThreshold', None))
    if panic is not None:
        got = cluster.get('commonLbConfig', {}).get('healthyPanicThreshold', {})
        out.append(('panic', float(panic), float(got.get('value', 0)) if
                    'healthyPanicThreshold' in cluster.get('commonLbConfig', {}) else None))
    return out + of_detection(detection, cluster.get('outlierDetection'))


def of_detection(fields, there):
    if not fields:
        return []
    if fields.get('disabled'):
        return [('outlier detection', None, there)]
    if there is None:
        return [('outlier detection', True, False)]
    out = [('ejection percent', fields.get('maxEjectionPercent'),
            there.get('maxEjectionPercent')),
           ('one is always ejected', fields.get('maxEjectionPercent') != 0,
            there.get('alwaysEjectOneHost', False)),
           ('a check brings one back', False, there.get('successfulActiveHealthCheckUnejectHost')),
           ('detection interval', time_of(fields, 'interval'), duration(there.get('interval')))]
    for name, (number, enforcing) in DETECTORS.items():
        value = fields.get('detectors.%s.consecutive' % name)
        is_there = value is not None or 'detectors.' + name in fields
        if is_there or name != 'localOriginFailures':
            out += [(name, value, there.get(number)),
                    (name + ' enforced', 100 if is_there else 0, there.get(enforcing))]
    return out

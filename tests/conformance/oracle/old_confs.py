"""What legacy kinds say of TrafficRoute's routes, which are TCP whatever is spoken, in the
words of the kinds that replace them (policies 4, P17)."""

from . import legacy, merging
from .merging import Origin
from .policies import Policy

REPLACED = {'MeshTimeout': 'Timeout', 'MeshRetry': 'Retry', 'MeshHealthCheck': 'HealthCheck',
            'MeshCircuitBreaker': 'CircuitBreaker', 'MeshAccessLog': 'TrafficLog'}
DETECTORS = {'totalErrors': 'totalFailures', 'gatewayErrors': 'gatewayFailures',
             'localErrors': 'localOriginFailures', 'standardDeviation': 'successRate',
             'failure': 'failurePercentage'}
DETECTION = ('interval', 'baseEjectionTime', 'maxEjectionPercent',
             'splitExternalAndLocalErrors')


def some(**fields):
    return {key: value for key, value in fields.items() if value is not None}


def timeout(conf, _mesh):
    return some(connectionTimeout=conf.get('connectTimeout'),
                idleTimeout=conf.get('tcp', {}).get('idleTimeout'))


def retry(conf, _mesh):
    attempts = conf.get('tcp', {}).get('maxConnectAttempts')
    return {'tcp': {'maxConnectAttempt': attempts}} if attempts else {}


def health_check(conf, _mesh):
    """Neither tcp nor http: a connect."""
    return dict({key: value for key, value in conf.items() if key != 'http'},
                tcp=conf.get('tcp', {}))


def circuit_breaker(conf, _mesh):
    out = {}
    if 'thresholds' in conf:
        out['connectionLimits'] = conf['thresholds']
    if conf.get('detectors'):
        detectors = {}
        for name, detector in conf['detectors'].items():
            detectors[DETECTORS[name]] = {
                'standardDeviationFactor' if key == 'factor' else key: value
                for key, value in detector.items()}
        out['outlierDetection'] = dict({key: conf[key] for key in DETECTION if key in conf},
                                       detectors=detectors)
    return out


def traffic_log(conf, mesh):
    """A backend that nobody knows is no log."""
    logging = mesh.get('logging', {})
    name = conf.get('backend') or logging.get('defaultBackend')
    for backend in logging.get('backends', []):
        if backend['name'] == name:
            kind = {'tcp': 'Tcp', 'file': 'File'}[backend['type']]
            body = dict(backend['conf'])
            if backend.get('format'):
                body['format'] = {'type': 'Plain', 'plain': backend['format']}
            return {'backends': [{'type': kind, kind.lower(): body}]}
    return {}


CONVERT = {'MeshTimeout': timeout, 'MeshRetry': retry, 'MeshHealthCheck': health_check,
           'MeshCircuitBreaker': circuit_breaker, 'MeshAccessLog': traffic_log}


def of(world, proxy, kind, service):
    """The conf of the one legacy policy that is about this service, or {}."""
    found = legacy.chosen(world.old[REPLACED[kind]], proxy, service)
    if found is None:
        return {}
    conf = CONVERT[kind](found.spec.get('conf', {}), world.conf)
    return merging.merged([(conf, Origin(Policy(found), 0, 'to'))])

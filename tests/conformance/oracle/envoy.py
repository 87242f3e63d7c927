"""What Envoy must hold for the routes of one proxy (5.2, 5.3, 5.6-5.8, kinds 8, 11, 13).

Works from the routes JSON, whoever made it, and reads `-o envoy`: who gets which share,
that every name leads somewhere, that nothing is there without use. Where the oracle's own
JSON is given, what it says beside it as well: mTLS, priorities' limits, groups of endpoints.
Other shapes are pinned by the envoy.json of the cases alone.
"""

import ipaddress

from . import envoy_permission, envoy_settings, envoy_tls
from .documents import HTTP
from .shares import BLACKHOLE, parts


def is_ip(address):
    try:
        return bool(ipaddress.ip_address(address))
    except ValueError:
        return False


def said(action):
    """The same of a TcpProxy or a RouteAction."""
    if 'cluster' in action:
        return [(action['cluster'], None)]
    return [(c['name'], c['weight']) for c in action['weightedClusters']['clusters']]


def is_outside(backends):
    """Whether one of them is outside the mesh; None: the JSON does not tell, or an egress
    stands for it."""
    there = [b for b in backends if b.get('resolved')]
    if any(e['via'] == 'egress' for b in there for e in b['endpoints']) or any(
            b['kind'] == 'MeshExternalService' and getattr(b, 'facts', None) and b.facts.sni
            for b in there):
        return None
    if any(b['kind'] == 'MeshExternalService' or e['via'] == 'external'
           for b in there for e in b['endpoints'] or [{'via': ''}]):
        return True
    return None if any(not b['endpoints'] for b in there) else False


def matchers(match):
    """A match as Envoy's route matches: kinds 11."""
    path = match.get('path', {'type': 'PathPrefix', 'value': '/'})
    value = path['value']
    if path['type'] == 'Exact':
        ways = [{'path': value}]
    elif path['type'] == 'RegularExpression':
        ways = [{'safeRegex': {'regex': value}}]
    elif value == '/':
        ways = [{'prefix': '/'}]
    else:
        ways = [{'path': value}, {'prefix': value + '/'}]
    rest = {}
    headers = [{'name': ':method', 'stringMatch': {'exact': match['method']}}] \
        if 'method' in match else []
    headers += [header(h) for h in match.get('headers', [])]
    if headers:
        rest['headers'] = headers
    if match.get('queryParams'):
        rest['queryParameters'] = [{'name': p['name'], 'stringMatch': text(p)}
                                   for p in match['queryParams']]
    return [dict(way, **rest) for way in ways]


def text(field):
    if field['type'] == 'RegularExpression':
        return {'safeRegex': {'regex': field['value']}}
    return {field['type'].lower(): field['value']}


def header(field):
    if field['type'] in ('Present', 'Absent') or (field['type'], field['value']) == ('Prefix', ''):
        return {'name': field['name'], 'presentMatch': field['type'] != 'Absent'}
    return {'name': field['name'], 'stringMatch': text(field)}


class Check:
    """Collects in `lines` what is wrong with one proxy's configuration."""

    def __init__(self, config, mesh=None):
        self.lines = []
        self.mesh = mesh
        self.config = config
        self.extensions = {e['name']: e['typedConfig'] for e in config['extensions']}
        self.tables = {t['name']: t for t in config.get('routes', [])}
        self.clusters = {c['name']: c for c in config['clusters']}
        self.assigned = {e['clusterName']: e for e in config['endpoints']}
        self.used = {}  # {cluster: its backend, None: the blackhole}
        self.logged = envoy_settings.logged_to(self.extensions)

    def expect(self, want, got, what):
        if want != got:
            self.lines.append('%s: want %r, got %r' % (what, want, got))

    def compare(self, name, facts):
        for what, want, got in facts:
            self.expect(want, got, '%s: %s' % (name, what))

    def use(self, backends, unresolved):
        split = parts(backends, unresolved)
        by_cluster = {b['cluster']: b for b in backends if b.get('resolved')}
        self.used.update((name, by_cluster.get(name)) for name, _ in split)
        return split

    def filter_of(self, where):
        listener = next((l for l in self.config['listeners'] if
                         l['address']['socketAddress'] == where), None)
        if listener is None:
            self.lines.append('no listener at %r' % (where,))
            return None
        return listener['filterChains'][0]['filters'][0]

    def connections(self, filter_, split, what, place):
        found = self.extensions.get(filter_['name'])
        if found is None:
            self.lines.append('%s: no extension %s' % (what, filter_['name']))
        else:
            self.expect(split, said(found), what)
            self.compare(what, envoy_settings.of_connections(place, found))

    def requests(self, filter_, rules, unresolved, what, place):
        """One route for each way to match."""
        manager = self.extensions.get(filter_['name'], {})
        self.compare(what, envoy_settings.of_manager(place, manager))
        table = self.tables.get(manager.get('rds', {}).get('routeConfigName'))
        if table is None:
            self.lines.append('%s: no route table' % what)
            return
        want, got = [], [(r['match'], said(r['route']))
                         for r in table['virtualHosts'][0]['routes']]
        made = []
        for rule in rules:
            split = self.use(rule['backends'], unresolved)
            ways = matchers(rule['matches'][0])
            want += [(way, split) for way in ways]
            made += [(is_outside(rule['backends']), rule)] * len(ways)
        self.expect(want, got, what)
        for r, (one, rule) in zip(table['virtualHosts'][0]['routes'], made):
            self.compare(what, envoy_settings.of_route(
                rule if 'applied' in rule else place, r['route']))
            if one is not None:
                self.expect(one, r['route'].get('autoHostRewrite', False), what + ' host')

    def outbound(self, o):
        what = '%s:%d' % (o['address'], o['port'])
        filter_ = self.filter_of({'address': o['address'], 'portValue': o['port']})
        if filter_ is None:
            return
        if 'rules' in o:
            self.requests(filter_, o['rules'], o['unresolved'], what, o)
        elif o['owner'] == 'default' and o['destination']['protocol'] in HTTP:
            self.requests(filter_, [dict(o, matches=[{}])], o['unresolved'], what, o)
        else:
            self.connections(filter_, self.use(o['backends'], o['unresolved']), what, o)

    def gateway(self, entries):
        """Kinds 13: HTTP is not served; one chain for each hostname."""
        served = [e for e in entries if e['protocol'] in ('TCP', 'TLS')]
        chains = {}
        for listener in self.config['listeners']:
            for chain in listener['filterChains']:
                names = chain.get('filterChainMatch', {}).get('serverNames', ['*'])
                chains[listener['address']['socketAddress']['portValue'], names[0]] = chain
        self.expect({(e['port'], e['hostname']) for e in served}, set(chains), 'chains')
        for e in served:
            split = self.use(e['backends'], e['unresolved'])
            if (e['port'], e['hostname']) in chains:
                self.connections(chains[e['port'], e['hostname']]['filters'][0], split,
                                 '%d/%s' % (e['port'], e['hostname']), e)

    def cluster(self, name, backend):
        """5.6, 5.8: EDS of what is inside, the endpoints inline of what is outside."""
        found = self.clusters.get(name)
        if found is None:
            self.lines.append('no cluster %s' % name)
            return
        if backend is None:
            self.expect('STATIC', found['type'], name)
            return
        outside = [e for e in backend['endpoints'] if e['via'] == 'external']
        if outside:
            want = 'STATIC' if all(is_ip(e['address']) for e in outside) else 'STRICT_DNS'
            self.expect(want, found['type'], name)
        self.endpoints(name, found, backend['endpoints'])
        self.compare(name, envoy_settings.of_cluster(backend, found))
        facts = getattr(backend, 'facts', None)
        if facts and not outside:
            if self.mesh and (facts.sni or backend['endpoints']):
                self.compare(name, envoy_tls.upstream(found, facts, self.mesh))
            self.balance(name, backend['endpoints'], facts.strategy)

    def balance(self, name, endpoints, strategy):
        """Kinds 15."""
        assignment = self.assigned.get(name, {})
        if not endpoints:
            return
        factor = assignment.get('policy', {}).get('overprovisioningFactor')
        self.expect(strategy.overprovisioning(), factor, name + ': factor')
        grouped = bool(strategy.affinity())
        self.expect(grouped, 'localityWeightedLbConfig' in self.clusters[name].get(
            'commonLbConfig', {}), name + ': by groups')
        if grouped:
            want = {(e['address'], e['port']): e.facts for e in endpoints
                    if e['via'] == 'direct'}
            got = {(a['address'], a['portValue']): (
                group['locality'].get('subZone'), group.get('loadBalancingWeight'))
                   for group in assignment.get('endpoints', []) for e in group['lbEndpoints']
                   for a in [e['endpoint']['address']['socketAddress']]}
            self.expect(want, {at: got.get(at) for at in want}, name + ': groups')

    def endpoints(self, name, found, endpoints):
        """5.8."""
        if 'loadAssignment' in found:
            self.expect(False, name in self.assigned, name + ' has EDS too')
        assignment = found.get('loadAssignment') or self.assigned.get(name)
        if assignment is None:
            self.lines.append('no endpoints of %s' % name)
            return
        got = [(group.get('priority', 0), group.get('locality', {}).get('zone'),
                e['endpoint']['address']['socketAddress']['address'],
                e['endpoint']['address']['socketAddress']['portValue'], e['loadBalancingWeight'])
               for group in assignment.get('endpoints', []) for e in group['lbEndpoints']]
        want = [(e['priority'], e['zone'], e['address'], e['port'], e['weight'])
                for e in endpoints]
        self.expect(sorted(want, key=repr), sorted(got, key=repr), name)

    def inbounds(self, proxy):
        """proxy: of the oracle."""
        shown = {(i['address'], i['port']): i for i in proxy.get('inbounds', [])}
        for listener in self.config['listeners']:
            if listener.get('trafficDirection') == 'INBOUND':
                self.compare(listener['name'],
                             envoy_tls.inbound(listener, proxy.facts, self.mesh))
                at = listener['address']['socketAddress']
                place = shown.get((at['address'], at['portValue']))
                if place is not None:
                    self.inbound(listener, place, proxy.facts)

    def inbound(self, listener, place, mode):
        name = listener['name']
        if mode:
            self.compare(name, envoy_permission.of_inbound(
                name, place['permission'], self.mesh, self.extensions))
        found = self.extensions.get(listener['filterChains'][-1]['filters'][-1]['name'], {})
        if 'cluster' in found:
            self.compare(name, envoy_settings.of_inbound(place, found))
            self.compare(name, envoy_settings.of_cluster(
                envoy_settings.of_raw(place), self.clusters[found['cluster']]))
            return
        self.compare(name, envoy_settings.of_manager(place, found))
        for route in self.tables[name]['virtualHosts'][0]['routes']:
            self.compare(name, envoy_settings.of_route(place, route['route']))
            self.compare(name, envoy_settings.of_cluster(
                place, self.clusters[route['route']['cluster']]))

    def all(self, proxy):
        for o in proxy.get('outbounds', []):
            self.outbound(o)
        if 'listeners' in proxy:
            self.gateway(proxy['listeners'])
        elif self.mesh:
            self.inbounds(proxy)
        for name, backend in sorted(self.used.items()):
            self.cluster(name, backend)
        unused = {n for n in self.clusters if not n.startswith('localhost:')} - set(
            self.used) - self.logged
        self.expect(set(), unused, 'clusters without use')  # B8
        self.expect(set(), set(self.assigned) - set(self.used), 'endpoints without use')
        return self.lines


def problems(proxy, config, mesh=None):
    """The lines of what is wrong with `-o envoy` of this proxy of the routes JSON; with
    its mesh, the JSON is the oracle's."""
    return Check(config, mesh).all(proxy)

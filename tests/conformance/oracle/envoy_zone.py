"""What Envoy must hold to be the zone's ingress or egress (kinds 3, 4; 6.3)."""

from . import envoy_tls
from .envoy import Check, is_ip


class ZoneCheck(Check):
    """Of a zone proxy and its passages."""

    def chains(self, address, port):
        """{server name: (chain, what its filter does)}."""
        name = ('inbound:[%s]:%d' if ':' in address else 'inbound:%s:%d') % (address, port)
        if not self.config['listeners']:
            return {}
        listener = self.config['listeners'][0]
        self.expect([name], [l['name'] for l in self.config['listeners']], 'listeners')
        self.expect({'address': address, 'portValue': port},
                    listener['address']['socketAddress'], 'address')
        self.expect(['envoy.filters.listener.tls_inspector'],
                    [f['name'] for f in listener.get('listenerFilters', [])], 'inspector')
        out = {}
        for chain in listener['filterChains']:
            match = chain.get('filterChainMatch', {})
            for sni in match.get('serverNames', [None]):
                self.expect(name + '/%s' % sni, chain['filters'][0]['name'], 'filter of a chain')
                self.expect('tls', match.get('transportProtocol'), 'transport of a chain')
                self.expect(False, sni in out, 'twice: %s' % sni)
                out[sni] = (chain, self.extensions.get(chain['filters'][0]['name'], {}))
        return out

    def passage(self, sni, want, chain, action):
        """Where connections for a server name go."""
        self.expect(want.cluster, action.get('cluster'), sni)
        if want.outside:
            self.compare(sni, envoy_tls.terminating(chain, want.mesh))
        else:
            self.expect(None, chain.get('transportSocket'), sni + ' TLS')
        found = self.clusters.get(want.cluster)
        if found is None:
            self.lines.append('no cluster %s' % want.cluster)
            return
        kind = 'EDS'
        if want.outside:
            kind = 'STATIC' if all(is_ip(e['address']) for e in want.endpoints) else 'STRICT_DNS'
        self.expect(kind, found['type'], want.cluster)
        self.endpoints(want.cluster, found, want.endpoints)
        if want.strategy and not want.outside:
            self.balance(want.cluster, want.endpoints, want.strategy)

    def zone_proxy(self, net, passages):
        chains = self.chains(net['address'], net['port'])
        for sni in sorted(set(chains) - set(passages)):
            self.lines.append('a chain for %s' % sni)
        for sni, want in sorted(passages.items()):
            if want is None:
                self.lines.append('the oracle cannot tell where %s leads' % sni)
            elif sni in chains and want.cluster:
                self.passage(sni, want, *chains[sni])
            elif want.must and sni not in chains:
                self.lines.append('no chain for %s' % sni)
        used = {action.get('cluster') for _, action in chains.values()}
        self.expect(set(), set(self.clusters) - used - {'blackhole'}, 'clusters without use')
        return self.lines


def zone_problems(res, passages, config):
    """The lines of what is wrong with `-o envoy` of a ZoneIngress or ZoneEgress."""
    return ZoneCheck(config).zone_proxy(res.spec['networking'], passages)

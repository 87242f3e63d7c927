"""What Envoy must hold of the mesh's mTLS (kinds 1, 4; 5.6)."""


def context_of(owner):
    """(tls context, common part) of a cluster or chain; (None, None): plain."""
    socket = owner.get('transportSocket')
    if socket is None:
        return None, None
    return socket['typedConfig'], socket['typedConfig']['commonTlsContext']


def names_in(common):
    """[('exact' or 'prefix', URI)] that the other end may have."""
    rules = common['combinedValidationContext']['defaultValidationContext']
    return [(how, uri) for rule in rules['matchTypedSubjectAltNames']
            for how, uri in rule['matcher'].items() if rule['sanType'] == 'URI']


def secrets_in(common):
    own = [s['name'] for s in common['tlsCertificateSdsSecretConfigs']]
    return own + [common['combinedValidationContext']['validationContextSdsSecretConfig']['name']]


def secrets_of(mesh):
    return ['identity_cert:secret:' + mesh, 'mesh_ca:secret:' + mesh]


def upstream(cluster, facts, mesh):
    """[(what, wanted, there)] of a cluster inside the mesh."""
    context, common = context_of(cluster)
    if facts.sni is None or context is None:
        return [('TLS', facts.sni is not None, context is not None)]
    return [('server name', facts.sni, context.get('sni')),
            ('names', facts.names, names_in(common)),
            ('protocols', ['kuma'], common.get('alpnProtocols')),
            ('secrets', secrets_of(mesh), secrets_in(common))]


def terminating(chain, mesh, gate=None):
    """The same of a chain that ends the mesh's TLS; gate: the Secret that says whom it takes
    (policies 3.4), else it takes all of the mesh."""
    context, common = context_of(chain)
    if context is None:
        return [('TLS', True, False)]
    out = [('client certificate', True, context.get('requireClientCertificate'))]
    if gate is None:
        return out + [('clients', [('prefix', 'spiffe://%s/' % mesh)], names_in(common)),
                      ('secrets', secrets_of(mesh), secrets_in(common))]
    return out + [('clients beside the gate', {},
                   common['combinedValidationContext']['defaultValidationContext']),
                  ('secrets', [secrets_of(mesh)[0], gate], secrets_in(common))]


def inbound(listener, mode, mesh):
    """The same of a listener for what comes to the proxy; mode None: mTLS is off."""
    chains = listener['filterChains']
    matches = [c.get('filterChainMatch', {}) for c in chains]
    inspectors = [f['name'].endswith('tls_inspector')
                  for f in listener.get('listenerFilters', [])]
    if mode != 'PERMISSIVE':
        out = [('chains', [{}], matches), ('inspectors', [], inspectors)]
    else:
        out = [('inspectors', [True], inspectors), ('chains', [
            {'transportProtocol': 'raw_buffer'}, {'transportProtocol': 'tls'},
            {'transportProtocol': 'tls', 'applicationProtocols': ['kuma']}], matches)]
        out += [('plain chain', (None, None), context_of(c)) for c in chains[:2]]
    if mode is None:
        return out + [('plain chain', (None, None), context_of(chains[0]))]
    gate = listener['name'].replace('inbound:', 'inbound_gate:', 1)
    out += [('filters', listener['name'] + '/rbac', chains[-1]['filters'][0]['name'])]
    return out + terminating(chains[-1], mesh, gate)

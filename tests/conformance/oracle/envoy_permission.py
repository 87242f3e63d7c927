"""Does Envoy let in who is allowed? RBAC, asked with the certificates that matter (policies
3.3)."""

import itertools
import json


def fits(matcher, uris):
    return any(uri == matcher.get('exact') or
               'prefix' in matcher and uri.startswith(matcher['prefix']) for uri in uris)


def is_principal(principal, uris):
    if 'any' in principal:
        return principal['any']
    if 'authenticated' in principal:
        return fits(principal['authenticated']['principalName'], uris)
    if 'notId' in principal:
        return not is_principal(principal['notId'], uris)
    if 'andIds' in principal:
        return all(is_principal(p, uris) for p in principal['andIds']['ids'])
    return any(is_principal(p, uris) for p in principal['orIds']['ids'])


def holds(rules, uris):
    """Whether one of the policies has this client."""
    return any(is_principal(p, uris) for policy in rules.get('policies', {}).values()
               for p in policy['principals'])


def certificates(permission, mesh):
    """Sets of URIs: one service of the mesh, and some of the tags' names."""
    names = {uri for said in permission.everything_named() for how, uri in said}
    names |= {uri + 'x' for said in permission.everything_named()
              for how, uri in said if how == 'prefix'}
    services = sorted(n for n in names if n.startswith('spiffe://'))
    tags = sorted(n for n in names if n.startswith('kuma://'))[:5]
    for service in services + ['spiffe://%s/somebody' % mesh]:
        for count in range(len(tags) + 1):
            for some in itertools.combinations(tags, count):
                yield [service, *some]


def of_inbound(name, permission, mesh, extensions):
    """[(what, wanted, there)] of a chain that ends the mesh's TLS."""
    rbac = extensions.get(name + '/rbac')
    if rbac is None:
        return [('RBAC', True, False)]
    out = [('rules are there', True, 'rules' in rbac)]
    for uris in certificates(permission, mesh):
        allowed, shadow = permission.decision(uris)
        out += [('%s allowed' % uris, allowed, holds(rbac.get('rules', {}), uris)),
                ('%s in shadow' % uris, shadow, holds(rbac.get('shadowRules', {}), uris))]
    for part in ('rules', 'shadowRules'):
        for policy in rbac.get(part, {}).get('policies', {}).values():
            texts = [json.dumps(p, sort_keys=True) for p in policy['principals']]
            out.append((part + ' twice', len(texts), len(set(texts))))
    return out

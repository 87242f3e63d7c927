"""Builtin gateways (kinds 13, D9, D31)."""

from .documents import ZONE, contains


def gateway_of(gateways, proxy, zone):
    """The one MeshGateway of a builtin Dataplane, or None."""
    found = []
    for g in gateways:
        if g.labels.get(ZONE, zone) != zone:
            continue
        fits = [len(s['match']) for s in g.spec['selectors']
                if contains(proxy.tag_sets[0], s['match'])]
        if fits:
            found.append((-max(fits), g.name, g.labels.get(ZONE, ''), g))
    return min(found, key=lambda f: f[:3])[3] if found else None


def listeners_of(gateway, proxy):
    """[(listener, its tags)] by port and host name."""
    for listener in sorted(gateway.spec['conf']['listeners'],
                           key=lambda l: (l['port'], l.get('hostname') or '*')):
        tags = dict(proxy.tag_sets[0])
        tags.update(gateway.spec.get('tags', {}))
        tags.update(listener.get('tags', {}))
        yield listener, tags


def is_about(policy, gateway, tags):
    """4.5: by display name and listener tags."""
    top = policy.top
    return (top['kind'] == 'MeshGateway' and top['name'] == gateway.name and
            contains(tags, top.get('tags', {})))



"""Confs merged member by member, with the policy that each value comes from (policies 1.3)."""

import collections

from .policies import ORIGIN_ORDER, ROLE_ORDER, TOP_ORDER

# policy, index: of the entry; list: where it stands ('to', 'from', 'rules')
Origin = collections.namedtuple('Origin', 'policy index list')


class Leaf:
    """A value that is not merged: a scalar, or a list as a whole."""

    def __init__(self, value, origin):
        self.value = value
        self.origin = origin


def laid(old, new, origin):
    """RFC 7396 without its nulls, which count as absent (D39). An empty object is a value
    while nothing stands in it."""
    if not isinstance(new, dict):
        return Leaf(new, origin)
    out = dict(old) if isinstance(old, dict) else {}
    for key, value in new.items():
        out[key] = laid(out.get(key), value, origin)
    return out or Leaf({}, origin)


def merged(entries):
    """entries: [(conf, origin)], least precedence first."""
    out = {}
    for conf, origin in entries:
        if conf:
            out = laid(out, conf, origin)
    return out


def leaves(conf, path=''):
    """[(dotted path, Leaf)]"""
    if isinstance(conf, Leaf):
        return [(path, conf)]
    return [leaf for key in sorted(conf)
            for leaf in leaves(conf[key], '%s.%s' % (path, key) if path else key)]


def plain(conf):
    """Without its origins."""
    if isinstance(conf, Leaf):
        return conf.value
    return {key: plain(value) for key, value in conf.items()}


def at(conf, path):
    """What stands at this dotted path, or None."""
    for key in path.split('.'):
        conf = conf.get(key) if isinstance(conf, dict) else None
    return conf


def in_policy_order(policies, lists):
    """[(entry, origin)] of what stands in these lists: the order of the policies (R3.2),
    then the index (1.2)."""
    ordered = sorted(policies, key=lambda p: p.kri())
    ordered.sort(key=lambda p: p.res.name, reverse=True)
    ordered.sort(key=rank_of_policy)
    return [(entry, Origin(p, i, name)) for p in ordered for name in lists
            for i, entry in enumerate(p.res.spec.get(name, []))]


def rank_of_policy(policy):
    """R3.2, keys 1 to 5."""
    top = policy.top
    is_dataplane = top['kind'] == 'Dataplane'
    return (TOP_ORDER.index(top['kind']), is_dataplane and 'sectionName' in top,
            is_dataplane and ('name' in top or 'namespace' in top),
            ORIGIN_ORDER.index(policy.origin),
            len(top.get('tags', {})) if top['kind'] == 'MeshGateway' else 0,
            ROLE_ORDER.index(policy.role))

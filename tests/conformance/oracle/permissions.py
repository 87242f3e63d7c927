"""Who is let in: MeshTrafficPermission, and TrafficPermission below it (policies 3, P9)."""

import collections

from .documents import SERVICE, contains
from .policies import contributor

# names: [('exact' or 'prefix', URI)], all of which a client's certificate has; [] is anyone
Entry = collections.namedtuple('Entry', 'names action')


def of_tags(tags, mesh):
    """3.2."""
    out = []
    for tag in sorted(tags):
        if tags[tag] != '*':
            out.append(('exact', 'spiffe://%s/%s' % (mesh, tags[tag]) if tag == SERVICE
                        else 'kuma://%s/%s' % (tag, tags[tag])))
    return out


def of_ref(ref, mesh):
    tags = dict(ref.get('tags', {}))
    if ref['kind'] in ('MeshService', 'MeshServiceSubset'):
        tags[SERVICE] = ref['name']
    return of_tags(tags, mesh)


def fits(names, uris):
    """Whether each of the names is in a certificate with these URIs."""
    return all(any(uri == value if how == 'exact' else uri.startswith(value) for uri in uris)
               for how, value in names)


class Permission:
    """Of one inbound. entries: in order; rules: {list: [names]}, or None."""

    def __init__(self, mode, entries=(), rules=None, policies=()):
        self.mode = mode
        self.entries = entries
        self.rules = rules
        self.policies = policies

    def decision(self, uris):
        """(allowed, denied in shadow) of a client."""
        if self.mode in ('plain', 'open', 'denied'):
            return self.mode != 'denied', False
        if self.rules is not None:
            said = {name: any(fits(names, uris) for names in self.rules[name])
                    for name in ('allow', 'allowWithShadowDeny', 'deny')}
            shadow = said['allowWithShadowDeny'] and not said['deny']
            return (said['allow'] or shadow) and not said['deny'], shadow
        actions = [e.action for e in self.entries if fits(e.names, uris)]
        allowed = bool(actions) and actions[-1] != 'Deny'
        return allowed, bool(actions) and actions[-1] == 'AllowWithShadowDeny'

    def everything_named(self):
        """The names that decide, as [names]."""
        if self.rules is not None:
            return [names for said in self.rules.values() for names in said]
        return [e.names for e in self.entries]

    def shown(self):
        return {'mode': self.mode, 'policies': self.policies}


def of_inbound(policies, old, tags, conf, mesh, has_mtls):
    """policies: [(entry, origin)] of the lists 'from' and 'rules' of those that select the
    inbound, in order."""
    if not has_mtls:
        return Permission('plain')
    rules = [(entry, origin) for entry, origin in policies if origin.list == 'rules']
    if rules:  # P13
        said = {name: [[(item['spiffeID']['type'].lower(), item['spiffeID']['value'])]
                       for entry, _ in rules for item in entry['default'].get(name, [])]
                for name in ('allow', 'allowWithShadowDeny', 'deny')}
        return Permission('enforced', rules=said, policies=[named(o) for _, o in rules])
    if policies:
        return Permission('enforced', [
            Entry(of_ref(entry['targetRef'], mesh), entry['default']['action'])
            for entry, _ in policies], policies=[named(o) for _, o in policies])
    chosen = sorted((p for p in old if any(contains(tags, d['match'])
                                           for d in p.res.spec['destinations'])),
                    key=lambda p: p.res.name)
    if chosen:  # 4
        return Permission('enforced', [
            Entry(of_tags(source['match'], mesh), 'Allow')
            for p in chosen for source in p.res.spec['sources']],
                          policies=[contributor(p, 0) for p in chosen])
    return Permission('open' if conf.get('mtls', {}).get('defaultPermission') == 'Allow'
                      else 'denied')


def named(origin):
    out = contributor(origin.policy, 0)
    del out['to']
    return dict(out, **{origin.list: origin.index})

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
        return {'mode': self.mode, 'policies': list(self.policies)}


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
    chosen = sorted((r for r in old if any(contains(tags, d['match'])
                                           for d in r.spec['destinations'])),
                    key=lambda r: r.name, reverse=True)
    if chosen:  # 4
        return Permission('enforced', [
            Entry(of_tags(source['match'], mesh), 'Allow')
            for r in chosen for source in r.spec['sources']],
                          policies=[dict(r.shown(), kind=r.kind, origin='global', to=0)
                                    for r in chosen])
    return Permission('open' if conf.get('mtls', {}).get('defaultPermission') == 'Allow'
                      else 'denied')


def named(origin):
    out = contributor(origin.policy, 0)
    del out['to']
    return dict(out, **{origin.list: origin.index})


# ---- what the JSON says of it: 1.6 ----

def read_names(text):
    """[(how, URI)] of 'a and b*'; '*' is anyone."""
    return [] if text == '*' else [
        ('prefix', name[:-1]) if name.endswith('*') else ('exact', name)
        for name in text.split(' and ')]


def is_in(texts, uris):
    """Whether a client is in one of 'a and b except c, d'."""
    for text in texts:
        who, _, less = text.partition(' except ')
        if fits(read_names(who), uris) and not any(
                fits(read_names(name), uris) for name in less.split(', ') if less):
            return True
    return False


def clients(permission):
    """Certificates that tell the sets apart: each set alone, two together, nobody's."""
    alone = [[uri if how == 'exact' else uri + 'x' for how, uri in names]
             for names in permission.everything_named()]
    near = [[uri + 'y' for _, uri in names] for names in permission.everything_named()]
    return [['spiffe://other/nobody']] + alone + near + [
        a + b for i, a in enumerate(alone) for b in alone[:i]]


def differences(permission, shown):
    """Where the JSON of a permission is not what it should be, as lines."""
    out = []
    for key, want in permission.shown().items():
        if shown.get(key) != want:
            out.append('%s: want %r, got %r' % (key, want, shown.get(key)))
    for texts in (shown['allow'], shown['shadow'], shown['deny']):
        if texts != sorted(set(texts), key=texts.index):
            out.append('twice: %r' % texts)
    if permission.mode != 'enforced':
        return out + ['%s of a mode that has none' % key for key in ('allow', 'shadow', 'deny')
                      if shown[key]]
    for uris in clients(permission):
        got = is_in(shown['allow'], uris), is_in(shown['shadow'], uris)
        if got != permission.decision(uris):
            out.append('%r: want %r, got %r' % (uris, permission.decision(uris), got))
    return out

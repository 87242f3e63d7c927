"""What the mesh's mTLS asks of a connection (kinds 1, 4; 5.6, 6.4)."""

import collections
import re

from .documents import PROTOCOL, SERVICE, ZONE

PART = re.compile('[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?')

# sni: the name asked for; names: [('exact' or 'prefix', URI)], one of which must answer;
# strategy: of the endpoints; target: the service that it is
Facts = collections.namedtuple('Facts', 'sni names strategy target', defaults=(None,))


def tag_name(service, tags, mesh):
    """6.4; None: longer than Envoy takes."""
    every = dict(tags, mesh=mesh)
    text = '%s{%s}' % (service, ','.join('%s=%s' % (k, every[k])
                                         for k in sorted(every, key=str.encode)))
    return text if len(text) <= 255 else None


def object_name(short, mesh, obj, port):
    """6.4; None: a part is no label of a name."""
    place = [p for p in (obj.zone, obj.zone and obj.namespace) if p]
    parts = [mesh] + place + [obj.name, port.section]
    text = '.'.join(['sni', short] + parts)
    return text if all(PART.fullmatch(p) for p in parts) and len(text) <= 253 else None


def names_of_service(service, mesh):
    return [('exact', 'spiffe://%s/%s' % (mesh, service))]


def names_of_egress(mesh):
    return names_of_service('zone-egress', mesh)


def names_of_objects(objects, mesh):
    """Kinds 6, 7; none known: anyone of the mesh."""
    found = {i['value'] if i['type'] == 'SpiffeID' else 'spiffe://%s/%s' % (mesh, i['value'])
             for o in objects for i in o.spec.get('identities', [])}
    return [('exact', name) for name in sorted(found)] or [('prefix', 'spiffe://%s/' % mesh)]


def subsets(tags):
    """Kinds 3: what may be asked of instances with these tags, as tag sets."""
    keys = sorted(k for k in tags if k not in (SERVICE, PROTOCOL))
    if len(keys) <= 6:
        chosen = [[k for i, k in enumerate(keys) if bits >> i & 1]
                  for bits in range(1 << len(keys))]
    else:
        chosen = [[], keys]
        for i, one in enumerate(keys):
            chosen += [[one]] + [[one, other] for other in keys[:i]]
        chosen += [sorted(set(c) | {ZONE}) for c in chosen] + [
            [k for k in c if k != ZONE] for c in chosen[2:]]
    return [{k: tags[k] for k in c} for c in chosen]

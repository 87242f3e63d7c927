"""What the zone's own ingress and egress let through (kinds 3, 4; 6.3, 6.4)."""

import collections

from . import trust
from .balancing import KIND as STRATEGY
from .balancing import Client
from .documents import SERVICE, ZONE, contains
from .objects import SHORT, serves, twin
from .policies import in_order
from .services import cluster_name

# cluster: its name; endpoints: as in the routes JSON; outside: TLS ends here;
# must: False for what may as well be missing, as nothing is behind it or asks for it
Passage = collections.namedtuple('Passage', 'mesh cluster endpoints outside must strategy')


def refs_of(policy):
    """The backendRefs of a stored route, whoever it is for."""
    for entry in policy.entries:
        for rule in entry.get('rules', []):
            yield from rule.get('default', {}).get('backendRefs', [])


def asked(world):
    """{service: [tags]}: what stored routes and the zone's outbounds ask for."""
    out = {}
    for outbound in [o for p in world.proxies for o in p.net.get('outbound', [])]:
        tags = dict(outbound.get('tags', {}))
        if SERVICE in tags:
            out.setdefault(tags.pop(SERVICE), []).append(tags)
    for policy in world.stored:
        for ref in refs_of(policy):
            if ref['kind'] == 'MeshServiceSubset' and ref.get('weight', 1):
                out.setdefault(ref['name'], []).append(ref.get('tags', {}))
    for route in world.legacy:
        conf = route.spec['conf']
        for entry in conf.get('split') or [{'destination': conf['destination']}]:
            tags = {k: v for k, v in entry['destination'].items() if v != '*'}
            for service in [tags.pop(SERVICE)] if SERVICE in tags else world.services.names():
                out.setdefault(service, []).append(tags)
    return out


def tag_sets(offered, wanted):
    """Of one service: [(tags, must)] without repeats; offered: [(tags, must)] in use."""
    out = {}
    for tags, must in offered:
        for subset in trust.subsets(tags):
            key = tuple(sorted(subset.items()))
            out[key] = must or out.get(key, False)
    for tags in wanted:
        out.setdefault(tuple(sorted(tags.items())), False)
    return [(dict(key), must) for key, must in out.items()]


def inbound_passages(world):
    """Kinds 3: {server name: Passage}; only what is in this zone."""
    services, out = world.services, {}
    by_service = {}
    for i in services.inbounds:
        by_service.setdefault(i.tags[SERVICE], []).append((i.tags, i.state != 'Ignored'))
    wanted = asked(world)
    for service, offered in by_service.items():
        for tags, must in tag_sets(offered, wanted.get(service, [])):
            sni = trust.tag_name(service, tags, world.mesh)
            rest = {k: v for k, v in tags.items() if k != ZONE}
            here = [i for i in services.inbounds if i.state == 'Ready' and
                    contains(i.tags, dict(tags, **{SERVICE: service}))]
            if sni and '*' not in sni:  # Envoy takes no such name
                out[sni] = Passage(world.mesh, world.mesh + ':' + cluster_name(service, rest),
                                   services.placed(here, []), False, must, None)
    for obj, port, members in own_objects(world):
        sni = trust.object_name(SHORT[obj.kind], world.mesh, obj, port)
        here = [i for i in services.inbounds if i.state == 'Ready' and
                any(serves(m, p, i) for m, p in members)]
        if sni:
            put(out, sni, Passage(world.mesh, obj.kri(port.section),
                                  services.placed(here, []), False, bool(members), None))
    return out


def put(out, sni, passage):
    """6.4 leaves out namespaces where there is no zone: of two objects with one name either
    may have it."""
    if sni in out and out[sni].cluster != passage.cluster:
        passage = passage._replace(cluster=None, must=passage.must or out[sni].must)
    out[sni] = passage


def own_objects(world):
    """[(object, port, [(member here, its port)])]"""
    for obj in world.objects.all:
        for port in obj.ports:
            if obj.kind == 'MeshService' and obj.zone == world.zone:
                yield obj, port, [(obj, port)]
            elif obj.kind == 'MeshMultiZoneService':
                here = [m for m in world.objects.members(obj) if m.zone == world.zone]
                if here:
                    yield obj, port, [(m, p) for m in here for p in [twin(m, port)] if p]


def asked_by_clients(world):
    """The server names that proxies of the zone ask an egress for."""
    out = set()
    for proxy in world.routes()['proxies']:
        for part in proxy.get('outbounds', []) + proxy.get('listeners', []):
            for backends in [part.get('backends', [])] + [
                    r['backends'] for r in part.get('rules', [])]:
                out |= {b.facts.sni for b in backends if b.get('resolved') and
                        any(e['via'] == 'egress' for e in b['endpoints'])}
    return out


def outbound_passages(world):
    """Kinds 4: {server name: Passage}; what is in other zones, and outside."""
    resolver, services = world.resolver, world.services
    must = {sni for sni in asked_by_clients(world) if '*' not in sni}
    services.by_egress = False
    services.is_remote = True
    resolver.client = Client(world.zone, [], in_order(
        p for p in world.policies[STRATEGY]
        if p.top['kind'] == 'Mesh' and p.concerns(world.zone, {})))
    out = {}

    def add(sni, backend, outside):
        if sni and '*' not in sni:
            name = backend['cluster']
            if not name.startswith('kri_'):
                name = world.mesh + ':' + name
            put(out, sni, Passage(world.mesh, name, backend['endpoints'], outside,
                                  sni in must, backend.facts.strategy))

    wanted = asked(world)
    offered = {}
    for record in services.records:
        offered.setdefault(record.tags[SERVICE], []).append((record.tags, True))
    for external in services.externals:
        tags = external.spec['tags']
        offered.setdefault(tags[SERVICE], []).append((tags, True))
    for service, in_use in offered.items():
        for tags, _ in tag_sets(in_use, wanted.get(service, [])):
            add(trust.tag_name(service, tags, world.mesh), resolver.of_service(
                {'kind': 'MeshServiceSubset', 'name': service, 'tags': tags}),
                services.is_external(service))
    for obj in world.objects.all:
        for port in obj.ports:
            if obj.kind != 'MeshService' or obj.zone != world.zone:
                add(trust.object_name(SHORT[obj.kind], world.mesh, obj, port),
                    resolver.of_object({}, obj, port), obj.kind == 'MeshExternalService')
    for sni in must - set(out):
        out[sni] = None  # nobody here knows it: the oracle itself is wrong
    return out

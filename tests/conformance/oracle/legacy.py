"""TrafficRoute (kinds 12, D10, D30)."""

from .documents import SERVICE, contains


def count(match):
    """D30: a tag of any value does not count."""
    return sum(1 for value in match.values() if value != '*')


def best(matches, fits):
    """The number of tags of the most precise one that fits; -1: none does."""
    return max((count(m['match']) for m in matches if fits(m['match'])), default=-1)


def chosen(routes, proxy, service):
    """The one TrafficRoute of an outbound by tags, or None."""
    found = []
    for route in routes:
        source = best(route.spec['sources'],
                      lambda m: any(contains(s, m) for s in proxy.tag_sets_or_labels()))
        target = best(route.spec['destinations'], lambda m: m[SERVICE] in ('*', service))
        if source >= 0 and target >= 0:
            found.append((-source, -target, route.name, route))
    return min(found, key=lambda f: f[:3])[3] if found else None


def refs_of(route, outbound_tags):
    """As backendRefs: tags of any value fall away, the outbound's fill in what is missing."""
    conf = route.spec['conf']
    for entry in conf.get('split') or [{'weight': 1, 'destination': conf['destination']}]:
        tags = {k: v for k, v in entry['destination'].items() if v != '*'}
        tags = dict(outbound_tags, **tags)
        ref = {'kind': 'MeshService', 'name': tags.pop(SERVICE), 'weight': entry['weight']}
        if tags:
            ref.update(kind='MeshServiceSubset', tags=tags)
        yield ref

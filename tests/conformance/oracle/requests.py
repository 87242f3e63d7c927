"""MeshHTTPRoute: whose rule answers a request (kinds 11, D35)."""

import json

PATHS = ('Exact', 'PathPrefix', 'RegularExpression')


def canonical(match):
    """With defaults filled in, headers and parameters sorted by name."""
    out = dict(match)
    for field in ('headers', 'queryParams'):
        items = [dict({'type': 'Exact'}, **item) for item in match.get(field, [])]
        out.pop(field, None)
        if items:
            out[field] = sorted(items, key=lambda item: item['name'])
    return out


def shown(match):
    """As it stands in the JSON: the types of headers are always there."""
    out = dict(match)
    if match.get('headers'):
        out['headers'] = [dict({'type': 'Exact'}, **item) for item in match['headers']]
    return {field: value for field, value in out.items() if value != []}


def key_of(rule):
    return json.dumps(sorted(json.dumps(canonical(m), sort_keys=True) for m in rule['matches']))


def order_of(match):
    """Which match is tried first."""
    path = match.get('path')
    kind = PATHS.index(path['type']) if path else len(PATHS)
    length = len(path['value'].encode()) if kind in (1, 2) else 0
    return (kind, -length, 'method' not in match, -len(match.get('headers', [])),
            -len(match.get('queryParams', [])))


def takes_all(match):
    path = match.get('path', {'type': 'PathPrefix', 'value': '/'})
    return (path == {'type': 'PathPrefix', 'value': '/'} and
            not any(match.get(f) for f in ('method', 'headers', 'queryParams')))


def merged(entries, group_of):
    """{key: (group, to, rule, the rule, policy)}: a later policy's rule replaces one of
    the same key, the first one stays inside a policy."""
    rules = {}
    for position, (policy, to, entry) in enumerate(entries):
        for n, rule in enumerate(entry.get('rules', [])):
            key = key_of(rule)
            if key not in rules or rules[key][4] is not policy:
                rules[key] = (group_of[position], to, n, rule, policy)
    return rules.values()


def rules_of(entries, rank):
    """[(match, backendRefs, policy)] in the order tried; no refs: to itself."""
    group_of = []
    for position, (policy, _, entry) in enumerate(entries):
        before = entries[position - 1] if position else None
        same = before and before[0] is policy and rank(*before[::2]) == rank(policy, entry)
        group_of.append(group_of[-1] if same else position)
    tried = [(order_of(match) + (-group, to, n, i), match, rule, policy)
             for group, to, n, rule, policy in merged(entries, group_of)
             for i, match in enumerate(rule['matches'])]
    tried.sort(key=lambda t: t[0])
    out = [(shown(match), rule.get('default', {}).get('backendRefs', []), policy)
           for _, match, rule, policy in tried]
    if not any(takes_all(match) for match, _, _ in out):  # K14
        out.append(({'path': {'type': 'PathPrefix', 'value': '/'}}, [], None))
    return out

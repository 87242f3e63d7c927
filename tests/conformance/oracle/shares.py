"""Which cluster gets which share (5.3, 5.7)."""

BLACKHOLE = 'blackhole'


def parts(backends, unresolved):
    """[(cluster, weight)]: 5.3, 5.7, B3, D7, D33."""
    out = {}
    for b in backends:
        if b['weight'] and (b['resolved'] or unresolved == 'Blackhole'):
            cluster = b['cluster'] if b['resolved'] else BLACKHOLE
            out[cluster] = out.get(cluster, 0) + b['weight']
    if len(out) < 2:
        return [(next(iter(out), BLACKHOLE), None)]
    return list(out.items())

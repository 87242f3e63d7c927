"""MeshLoadBalancingStrategy: which zones come when, and who is near (kinds 15, 6.6)."""

from .documents import ZONE
from .policies import contributor

KIND = 'MeshLoadBalancingStrategy'


class Noted(dict):
    """A value of the routes JSON with facts of Envoy's configuration beside it."""
    facts = None


def patched(old, new):
    """3.6: objects merge by key, arrays are replaced as a whole."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return dict(old, **{k: patched(old.get(k), v) for k, v in new.items()})


def fits(rule, zone):
    """6.6: whether a failover rule leads to this zone."""
    to = rule['to']
    zones = to.get('zones', [])
    return (to['type'] == 'Any' or to['type'] == 'Only' and zone in zones or
            to['type'] == 'AnyExcept' and zone not in zones)


def is_from(rule, zone):
    return zone in rule.get('from', {}).get('zones', [zone])


def round_up(number):
    """To the nearest, a half upwards."""
    return int(number + 0.5)


class Strategy:
    """What all policies together say of one destination of one client."""

    def __init__(self, conf=None, client=None, sources=()):
        self.conf = conf or {}
        self.zone = client.zone if client else ''
        self.tag_sets = client.tag_sets if client else []
        self.labels = client.labels if client else {}
        self.sources = sources  # of the JSON, increasing precedence
        self.disabled = self.conf.get('disabled', False)
        self.cross = None if self.disabled else self.conf.get('crossZone')
        self.local = None if self.disabled else self.conf.get('localZone')

    def level(self, zone, is_aware):
        """Of another zone's endpoints, 0 beside the local ones; None: taken out."""
        if self.disabled:
            return 0
        if self.cross is None and self.local is None:
            return 1 if is_aware or self.conf.get('disabled') is False else 0
        rules = (self.cross or {}).get('failover', [])
        return next((i + 1 for i, rule in enumerate(rules)
                     if is_from(rule, self.zone) and fits(rule, zone)), None)

    def overprovisioning(self):
        """B10; None: Envoy's own."""
        if self.cross is None:
            return None
        text = self.cross.get('failoverThreshold', {}).get('percentage', 50)
        return round_up(10000 / float(text))

    def affinity(self):
        """[(key, weight)]"""
        tags = (self.local or {}).get('affinityTags', [])
        return [(t['key'], t.get('weight', 9 * 10 ** (len(tags) - i - 1)))
                for i, t in enumerate(tags)]

    def group_of(self, tags):
        """(sub zone, weight) of a local endpoint; None: there are no groups."""
        affinity = self.affinity()
        if not affinity:
            return None
        for key, weight in affinity:
            own = next((s[key] for s in self.tag_sets if key in s), self.labels.get(key))
            if own is not None and tags.get(key) == own:
                return ('%s=%s' % (key, own), weight)
        return (None, 1)


class Client:
    """A proxy, or an egress, and the entries about what it sends to."""

    def __init__(self, zone, tag_sets=(), entries=(), labels=None):
        self.zone = zone
        self.tag_sets = [dict(s, **{ZONE: zone}) for s in tag_sets]
        self.entries = entries
        self.labels = labels or {}

    def strategy(self, is_meant):
        """3.4: what is relevant, in order; is_meant(ref, policy) of other kinds than Mesh."""
        conf, sources = {}, []
        for policy, index, entry in self.entries:
            ref = entry['targetRef']
            if ref['kind'] == 'Mesh' or is_meant(ref, policy):
                conf = patched(conf, entry.get('default', {}))
                sources.append(contributor(policy, index))
        return Strategy(conf.get('localityAwareness', {}), self, sources)

"""What a ZoneEgress or a MeshLoadBalancingStrategy may not say (kinds 0.3, 4, 15)."""

from .documents import ZONE
from .envoy import is_ip

TOP_KINDS = ('Mesh', 'Dataplane', 'MeshSubset', 'MeshService', 'MeshServiceSubset')
TO_KINDS = ('Mesh', 'MeshService', 'MeshMultiZoneService')
TYPES = ('Any', 'None', 'Only', 'AnyExcept')


def number(text):
    """A decimal number, or None."""
    if isinstance(text, str):
        digits = text[1:] if text[:1] in ('-', '+') else text
        if not digits.replace('.', '', 1).isdigit() or not digits.isascii():
            return None
    return float(text)


def of_egress(doc):
    """[(field, reason)]"""
    label = doc.get('labels', {}).get(ZONE)
    out = []
    if label and doc.get('zone') not in (None, label):
        out.append(('zone', 'must not differ from the label kuma.io/zone'))
    if 'networking' not in doc:
        return out + [('networking', 'must be defined')]
    net = doc['networking']
    if not net.get('address'):
        out.append(('networking.address', "address can't be empty"))
    elif net['address'] in ('0.0.0.0', '::'):
        out.append(('networking.address', 'must not be 0.0.0.0 or ::'))
    elif not is_ip(net['address']) and '_' in net['address']:
        out.append(('networking.address', 'address has to be valid IP address or domain name'))
    if 'port' not in net:
        out.append(('networking.port', 'must be defined'))
    elif not 1 <= net['port'] <= 65535:
        out.append(('networking.port', 'port must be in the range [1, 65535]'))
    elif net.get('admin', {}).get('port') == net['port']:
        out.append(('networking.admin.port', 'must differ from port'))
    return out


def of_local_zone(local, at):
    tags = local.get('affinityTags', [])
    out = []
    for i, tag in enumerate(tags):
        if not tag.get('key'):
            out.append(('%s.affinityTags[%d].key' % (at, i), 'must not be empty'))
        if tag.get('weight', 1) < 1:
            out.append(('%s.affinityTags[%d].weight' % (at, i), 'must be greater than 0'))
    if len({'weight' in tag for tag in tags}) > 1:
        out.append((at + '.affinityTags', 'all or none affinity tags should have weight'))
    return out


def of_rule(rule, at):
    out = []
    if 'from' in rule:
        zones = rule['from'].get('zones', [])
        if not zones:
            out.append((at + '.from.zones', 'must not be empty'))
        out += [('%s.from.zones[%d]' % (at, i), 'must not be empty')
                for i, zone in enumerate(zones) if not zone]
    kind = rule['to']['type']
    if kind not in TYPES:
        out.append((at + '.to.type', 'unrecognized type'))
    elif kind in ('Any', 'None') and rule['to'].get('zones'):
        out.append((at + '.to.zones', 'must be empty when type is ' + kind))
    elif kind in ('Only', 'AnyExcept') and not rule['to'].get('zones'):
        out.append((at + '.to.zones', 'must not be empty when type is ' + kind))
    return out


def of_cross_zone(cross, at):
    out = []
    for i, rule in enumerate(cross.get('failover', [])):
        out += of_rule(rule, '%s.failover[%d]' % (at, i))
    percentage = number(cross.get('failoverThreshold', {}).get('percentage', 50))
    reason = None
    if percentage is None:
        reason = 'string must be a valid number'
    elif not 0 <= percentage <= 100:
        reason = 'must be in inclusive range [0.0, 100.0]'
    elif percentage == 0:
        reason = 'must be greater than 0'
    return out + ([(at + '.failoverThreshold.percentage', reason)] if reason else [])


def of_strategy(doc):
    """[(field, reason)]; refs are taken to be whole but for their kind."""
    spec = doc.get('spec', {})
    out = []
    top = spec.get('targetRef', {'kind': 'Mesh'})['kind']
    if top not in TOP_KINDS:
        out.append(('spec.targetRef.kind', "value '%s' is not supported" % top))
    if not spec.get('to'):
        out.append(('spec.to', 'needs at least one item'))
    for i, entry in enumerate(spec.get('to', [])):
        ref = entry['targetRef']
        if ref['kind'] not in TO_KINDS:
            out.append(('spec.to[%d].targetRef.kind' % i,
                        "value '%s' is not supported" % ref['kind']))
        if 'default' not in entry:
            out.append(('spec.to[%d].default' % i, 'must be defined'))
        aware = entry.get('default', {}).get('localityAwareness', {})
        at = 'spec.to[%d].default.localityAwareness' % i
        out += of_local_zone(aware.get('localZone', {}), at + '.localZone')
        out += of_cross_zone(aware.get('crossZone', {}), at + '.crossZone')
        if ref['kind'] == 'MeshService' and 'crossZone' in aware and (
                ref.get('labels') or ref.get('sectionName')):
            out.append((at + '.crossZone', 'must not be set: MeshService traffic is local'))
    return out


def violations(doc):
    """Of a document in Universal form, in no order."""
    return (of_egress if doc['type'] == 'ZoneEgress' else of_strategy)(doc)

"""What a backendRef reaches (5.4, D5, D18, D32)."""

from . import trust
from .balancing import Client, Noted
from .documents import SERVICE, SYSTEM_NAMESPACES
from .objects import SHORT
from .services import cluster_name

NEEDS_OBJECT = ('namespace', 'port', '_port', 'sectionName')  # D32


def names_service(ref):
    """True for what a tag service can answer."""
    return bool(ref['kind'] in ('MeshService', 'MeshServiceSubset') and ref.get('name') and
                not any(ref.get(f) for f in NEEDS_OBJECT))


def namespace_of(policy):
    """Where a policy's refs look if they do not say."""
    namespace = policy.res.namespace
    return '' if namespace in SYSTEM_NAMESPACES else namespace


class Resolver:
    def __init__(self, services, objects, mesh, exclusive):
        self.services = services
        self.objects = objects
        self.mesh = mesh
        self.exclusive = exclusive  # kinds 1: tag services are no destinations
        self.client = Client(services.zone)  # whose backends these are

    def backend(self, ref, namespace=''):
        """As it stands in the JSON."""
        out = {'kind': ref['kind']}
        out.update({f: ref[f] for f in ('name', 'namespace', 'labels', 'tags') if ref.get(f)})
        out['weight'] = ref.get('weight', 1)
        if out['weight'] == 0:  # D38
            out['reason'] = 'weight 0'
            return out
        if ref['kind'] != 'MeshServiceSubset':
            found = self.objects.find(ref, namespace)
            if found:
                if ref.get('labels'):
                    out.update(found.res.shown())
                port = found.port(ref.get('sectionName'), ref.get('port'))
                if port is None:
                    return dict(out, resolved=False, reason=...)
                return self.of_object(out, found, port)
        if self.exclusive or not names_service(ref):
            return dict(out, resolved=False, reason=...)
        if not self.services.is_known(ref['name']):  # D18
            return dict(out, resolved=False, reason='no service "%s" in mesh "%s"'
                        % (ref['name'], self.mesh))
        return self.of_service(out)

    def of_service(self, out):
        service, tags = out['name'], out.get('tags', {})
        strategy = self.strategy(TagService(self, dict(tags, **{SERVICE: service})))
        names = trust.names_of_service(service, self.mesh)
        out = self.reached(dict(out, cluster=cluster_name(service, tags),
                                endpoints=self.services.endpoints(service, tags, strategy)),
                           trust.tag_name(service, tags, self.mesh), names, strategy,
                           self.services.is_external(service))
        return self.noted(out, TagService(self, dict(tags, **{SERVICE: service})))

    def of_object(self, out, obj, port):
        strategy = self.strategy(RealService(self, obj, port))
        members = self.objects.members(obj) if obj.kind == 'MeshMultiZoneService' else [obj]
        out = self.reached(dict(out, cluster=obj.kri(port.section),
                                endpoints=self.objects.endpoints(obj, port, strategy)),
                           trust.object_name(SHORT[obj.kind], self.mesh, obj, port),
                           trust.names_of_objects(members, self.mesh), strategy,
                           obj.kind == 'MeshExternalService')
        return self.noted(out, RealService(self, obj, port))

    def noted(self, out, target):
        """With the service that it is (policies 1.4)."""
        if out['resolved']:
            out.facts = out.facts._replace(target=target)
        return out

    def strategy(self, target):
        return self.client.strategy(
            lambda ref, policy: target.is_meant(ref, namespace_of(policy)))

    def reached(self, out, sni, names, strategy, is_outside):
        """5.6: with mTLS, only what can be asked for."""
        if is_outside and not self.services.by_egress or not self.services.has_mtls:
            sni = names = None
        elif sni is None:
            del out['cluster'], out['endpoints']
            return dict(out, resolved=False, reason=...)
        elif is_outside:
            names = trust.names_of_egress(self.mesh)
        out = Noted(out, resolved=True)
        if strategy.sources and not is_outside:
            out['balancing'] = strategy.sources
        out.facts = trust.Facts(sni, names, Client(self.client.zone).strategy(None)
                                if is_outside else strategy)
        return out


class TagService:
    """The destination of an outbound by tags (kinds 2). called: in texts; key: by which
    destinations are sorted (policies 1.4)."""
    is_real = False

    def __init__(self, resolver, tags):
        self.resolver = resolver
        self.tags = dict(tags)
        self.service = self.called = self.key = self.tags.pop(SERVICE)
        self.protocol = resolver.services.protocol(self.service)

    def shown(self):
        out = {'kind': 'MeshService', 'name': self.service, 'port': None,
               'protocol': self.protocol}
        return dict(out, tags=self.tags) if self.tags else out

    def is_meant(self, ref, _):
        """3.5."""
        return (ref['kind'] == 'MeshService' and names_service(ref) and
                ref['name'] == self.service)

    is_named = is_meant

    def itself(self):
        """4.4, B5; kinds 2: more tags make it a subset."""
        out = {'kind': 'MeshServiceSubset' if self.tags else 'MeshService',
               'name': self.service, 'weight': 1}
        if self.tags:
            out['tags'] = self.tags
        return self.resolver.of_service(out)


class RealService:
    """The destination of an outbound by backendRef."""
    is_real = True

    def __init__(self, resolver, obj, port):
        self.resolver = resolver
        self.obj = obj
        self.port = port
        self.protocol = port.protocol
        self.called = obj.name
        self.key = obj.kri(port.section)

    def shown(self):
        return dict(self.obj.res.shown(), kind=self.obj.kind, port=self.port.number,
                    protocol=self.protocol, kri=self.obj.kri(self.port.section))

    def is_meant(self, ref, namespace):
        """3.3, 3.4: by labels all of them are; what has no section is about every port."""
        if ref['kind'] != self.obj.kind:
            return False
        if ref.get('labels'):
            found = self.obj in self.resolver.objects.labelled(ref['kind'], ref['labels'])
        else:
            found = self.resolver.objects.find(ref, namespace) is self.obj
        if not found or self.obj.kind == 'MeshExternalService':
            return found
        if ref.get('sectionName'):
            return ref['sectionName'] == self.port.section
        number = ref.get('port') or ref.get('_port')
        return not number or number == self.port.number

    def is_named(self, ref, namespace):
        """Policies 1.4: whichever of its sections."""
        return any(RealService(self.resolver, self.obj, port).is_meant(ref, namespace)
                   for port in self.obj.ports)

    def itself(self):
        return self.resolver.of_object(dict(self.obj.res.shown(), kind=self.obj.kind, weight=1),
                                       self.obj, self.port)


class Nothing:
    """The destination of an outbound that finds none (K17)."""
    is_real = True
    protocol = 'unknown'

    def __init__(self, ref):
        self.named = {f: ref[f] for f in ('kind', 'name', 'labels') if f in ref}
        self.port = ref.get('port')
        self.called = self.key = ref.get('name', '')

    def shown(self):
        return dict(self.named, port=self.port, protocol=self.protocol)

    def is_meant(self, _ref, _namespace):
        return False

    is_named = is_meant

    def itself(self):
        return dict(self.named, weight=1, resolved=False, reason=...)


def destination_of(resolver, outbound):
    if 'backendRef' in outbound:
        ref = outbound['backendRef']
    elif resolver.exclusive:
        tags = dict(outbound['tags'])
        ref = {'kind': 'MeshService', 'name': tags.pop(SERVICE)}
        if tags:
            return Nothing(ref)
    else:
        return TagService(resolver, outbound['tags'])
    found = resolver.objects.find(ref, '')
    port = found.port('', ref.get('port')) if found else None
    return RealService(resolver, found, port) if port else Nothing(ref)

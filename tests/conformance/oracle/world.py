"""All that a zone knows of one mesh, and the routes of its proxies."""

from . import attached, gateway, inbounds, legacy, old_confs, requests
from .balancing import KIND as STRATEGY
from .balancing import Client, Noted
from .documents import HTTP, ZONE
from .objects import Objects
from .policies import Policy, Proxy, contributor, in_order, rank
from .resolve import Resolver, destination_of, namespace_of
from .services import Services


class World:
    def __init__(self, resources, zone, mesh):
        self.zone = zone
        self.mesh = mesh
        self.warnings = set()  # of what attaches (policies 1.6), once there are routes
        self.maybe = set()  # those that may as well not be said
        self.conf = {}
        for r in resources:
            if r.kind == 'Mesh' and r.name == mesh:
                self.conf = r.spec
        mine = [r for r in resources if r.mesh == mesh]
        self.proxies = sorted(
            (Proxy(r, zone) for r in mine if r.kind == 'Dataplane' and
             r.labels.get(ZONE, zone) == zone),
            key=lambda p: (p.res.name, p.res.namespace))
        self.services = Services(resources, self.proxies, mesh, zone, self.conf)
        self.objects = Objects(resources, self.services, mesh, zone, self.conf)
        exclusive = self.conf.get('meshServices', {}).get('mode') == 'Exclusive'
        self.resolver = Resolver(self.services, self.objects, mesh, exclusive)
        self.policies = {kind: [p for p in (Policy(r) for r in mine if r.kind == kind)
                                if not (p.origin == 'zone' and p.zone in self.services.disabled)]
                         for kind in ('MeshTCPRoute', 'MeshHTTPRoute', STRATEGY,
                                      inbounds.PERMISSION) + attached.KINDS}
        self.stored = [Policy(r) for r in mine if r.kind in ('MeshTCPRoute', 'MeshHTTPRoute')]
        self.legacy = [r for r in mine if r.kind == 'TrafficRoute']
        self.old = {kind: [r for r in mine if r.kind == kind] for kind in
                    ('TrafficPermission', *old_confs.REPLACED.values())}
        self.gateways = [r for r in mine if r.kind == 'MeshGateway']
        self.unresolved = self.conf.get('routing', {}).get('unresolvedBackends', 'Blackhole')

    def matched(self, kind, proxy):
        """3.1, 3.2."""
        return in_order(p for p in self.policies[kind]
                        if p.concerns(self.zone, proxy.res.labels) and
                        proxy.is_selected(p.top, p.res.namespace))

    def backends(self, refs, policy, destination):
        """3.6: without a list, the destination itself."""
        if not refs:
            return [destination.itself()]
        return [self.resolver.backend(r, namespace_of(policy)) for r in refs]

    def outbound(self, proxy, matched, outbound):
        destination = destination_of(self.resolver, outbound)
        tcp, http = ([e for e in entries
                      if destination.is_meant(e[2]['targetRef'], namespace_of(e[0]))]
                     for entries in matched)
        out = {'address': outbound.get('address') or '127.0.0.1', 'port': outbound['port'],
               'destination': destination.shown(), 'owner': 'default', 'policies': [],
               'unresolved': self.unresolved}
        route = None
        if 'tags' in outbound:
            route = legacy.chosen(self.legacy, proxy, outbound['tags']['kuma.io/service'])
        if http and destination.protocol in HTTP:  # 4.2
            return dict(out, owner='MeshHTTPRoute',
                        policies=[contributor(p, i) for p, i, _ in http],
                        rules=[self.rule(match, refs, policy, destination)
                               for match, refs, policy in
                               requests.rules_of(http, rank)])
        if tcp:
            rules = tcp[-1][2].get('rules', [])  # 3.6: the last one's list, as a whole
            refs = rules[0]['default']['backendRefs'] if rules else []
            return dict(out, owner='MeshTCPRoute',
                        policies=[contributor(p, i) for p, i, _ in tcp],
                        backends=self.backends(refs, tcp[-1][0], destination))
        if route:  # D10, D30
            return dict(out, owner='TrafficRoute',
                        policies=[dict(route.shown(), kind='TrafficRoute', origin='global', to=0)],
                        backends=[self.resolver.backend(r) for r in
                                  legacy.refs_of(route, outbound['tags'])])
        return dict(out, backends=[destination.itself()])

    def rule(self, match, refs, policy, destination):
        out = Noted(matches=[match], backends=self.backends(refs, policy, destination))
        out.facts = policy
        return out

    def listener(self, found, proxy, listener, tags):
        """4.5, D31, K13."""
        out = {'port': listener['port'], 'protocol': listener['protocol'],
               'hostname': listener.get('hostname') or '*', 'owner': 'default',
               'policies': [], 'unresolved': self.unresolved, 'backends': []}
        entries = []
        if listener['protocol'] in ('TCP', 'TLS'):
            entries = in_order(p for p in self.policies['MeshTCPRoute']
                               if p.concerns(self.zone, proxy.res.labels) and
                               gateway.is_about(p, found, tags))
        if not entries:
            return out
        rules = entries[-1][2].get('rules', [])
        refs = rules[0]['default']['backendRefs'] if rules else []
        namespace = namespace_of(entries[-1][0])
        return dict(out, owner='MeshTCPRoute',
                    policies=[contributor(p, i) for p, i, _ in entries],
                    backends=[self.resolver.backend(r, namespace) for r in refs])

    def proxy(self, proxy):
        self.resolver.client = Client(self.zone, proxy.tag_sets, self.matched(STRATEGY, proxy),
                                      proxy.labels)
        if proxy.is_builtin:
            found = gateway.gateway_of(self.gateways, proxy, self.zone)
            listeners = list(gateway.listeners_of(found, proxy)) if found else []
            out = Noted(proxy.res.shown(), listeners=[
                self.listener(found, proxy, listener, tags) for listener, tags in listeners])
            attached.OfGateway(self, proxy, [
                attached.Listener(o, found, tags)
                for o, (_, tags) in zip(out['listeners'], listeners)]).write()
            return out
        matched = [self.matched(kind, proxy) for kind in ('MeshTCPRoute', 'MeshHTTPRoute')]
        asked = proxy.net.get('outbound', [])
        out = Noted(proxy.res.shown(), outbounds=[
            self.outbound(proxy, matched, o) for o in asked])
        attached.Attachments(self, proxy, [
            attached.Outbound(o, destination_of(self.resolver, a), a.get('tags'))
            for o, a in zip(out['outbounds'], asked)]).write()
        shown = [shown for shown in (i.shown() for i in inbounds.of(self, proxy))
                 if shown['permission'].mode != 'plain' or 'applied' in shown]
        if shown:
            out['inbounds'] = shown
        out.facts = self.mode()
        return out

    def mode(self):
        """Kinds 1: of what comes in; None: mTLS is off."""
        mtls = self.conf.get('mtls', {})
        return next((b.get('mode', 'STRICT') for b in mtls.get('backends', [])
                     if b['name'] == mtls.get('enabledBackend')), None)

    def routes(self):
        return {'zone': self.zone, 'mesh': self.mesh,
                'proxies': [self.proxy(p) for p in self.proxies]}

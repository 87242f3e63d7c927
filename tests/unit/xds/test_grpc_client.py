"""ADS as gRPC's own client sees it: test_grpc_client.py PROGRAM PROTO

Each function is one story with a server of its own.
"""
import sys
import traceback

from ads_client import PATIENCE, URLS, Server, Stream, load_messages, names

import grpc

PROXY = 'default.web'


def cluster(name, seconds=1):
    message = messages.Cluster(name=name, type=3)
    message.connect_timeout.seconds = seconds
    return 'cluster', name, message


def endpoints(name, port=1):
    message = messages.ClusterLoadAssignment(cluster_name=name)
    endpoint = message.endpoints.add().lb_endpoints.add().endpoint
    endpoint.address.socket_address.address = '127.0.0.1'
    endpoint.address.socket_address.port_value = port
    return 'endpoints', name, message


def listener(name):
    message = messages.Listener(name=name)
    message.filter_chains.add().filters.add().name = name
    return 'listener', name, message


def split(name, *clusters):
    proxy = messages.TcpProxy(stat_prefix=name)
    for target in clusters:
        proxy.weighted_clusters.clusters.add(name=target, weight=1)
    message = messages.TypedExtensionConfig(name=name)
    message.typed_config.value = proxy.SerializeToString()
    return 'extension', name, message


def one():
    return [cluster('a'), endpoints('a'), listener('l'), split('l', 'a')]


def removed(response):
    return sorted(response.removed_resources)


def equal(a, b):
    if a != b:
        raise AssertionError('%r is not %r' % (a, b))


def begin(server):
    """A stream that has one() and asked for all of it, as an Envoy does."""
    server.set(PROXY, 1, one())
    stream = Stream(messages, server.address)
    stream.ask('cluster')
    unasked = [stream.next(kind) for kind in ('cluster', 'endpoints', 'listener')]
    stream.answer(unasked[0])
    stream.next('extension')
    stream.ask('endpoints', ['a'])
    stream.ask('listener')
    stream.ask('extension', ['l'])
    stream.take('endpoints', 'listener', 'extension')
    equal(server.expect('acked'), 'acked default.web 1')
    return stream


def take_one(stream):
    """What one() is; the split comes when its cluster is acknowledged."""
    return stream.take('cluster', 'endpoints', 'listener') + stream.take('extension')


def first_answer_is_whole_and_in_order(server):
    server.set(PROXY, 7, one())
    stream = Stream(messages, server.address)
    stream.ask('cluster')
    got = stream.next('cluster')
    equal(names(got), ['a'])
    equal(got.resources[0].resource.type_url, URLS['cluster'])
    equal(messages.Cluster.FromString(got.resources[0].resource.value).name, 'a')
    equal(len(got.resources[0].version), 16)
    for kind in ('endpoints', 'listener'):
        stream.next(kind)
    equal(server.expect('connected'), 'connected default.web')
    stream.silent()  # the cluster may warm
    stream.answer(got)
    stream.next('extension')
    stream.silent()
    stream.close()
    equal(server.expect('disconnected'), 'disconnected default.web')


def an_unknown_proxy_waits(server):
    stream = Stream(messages, server.address)
    stream.ask('cluster')
    equal(server.expect('connected'), 'connected default.web')
    stream.silent()
    server.set(PROXY, 1, one())
    take_one(stream)
    equal(server.expect('acked'), 'acked default.web 1')
    server.tell('forget ' + PROXY)
    stream.silent()
    stream.ask('endpoints', ['a'])  # answered from what it has
    equal(names(stream.next('endpoints')), ['a'])
    stream.close()


def only_what_changed(server):
    stream = begin(server)
    server.set(PROXY, 2, one())
    equal(server.expect('acked'), 'acked default.web 2')
    server.set(PROXY, 3, one()[:3] + [split('l', 'a', 'a')])
    equal(names(stream.next('extension')), ['l'])
    stream.silent()
    stream.close()


def one_in_flight_and_the_newest_after_it(server):
    stream = begin(server)
    server.set(PROXY, 2, one()[:3] + [split('l', 'a', 'a')])
    first = stream.next('extension')
    for revision in range(3, 10):
        server.set(PROXY, revision, one()[:3] + [split('l', *(['a'] * revision))])
    stream.silent()
    stream.answer(first)
    last, = stream.take('extension')
    value = messages.TypedExtensionConfig.FromString(last.resources[0].resource.value)
    proxy = messages.TcpProxy.FromString(value.typed_config.value)
    equal(len(proxy.weighted_clusters.clusters), 9)
    equal(server.expect('acked'), 'acked default.web 9')
    stream.close()


def make_before_break(server):
    stream = begin(server)
    server.set(PROXY, 2, [cluster('b'), endpoints('b'), listener('l'), split('l', 'b')])
    added, _ = stream.take('cluster', 'endpoints')
    equal((names(added), removed(added)), (['b'], []))
    moved = stream.next('extension')
    stream.silent()  # the old cluster stays until the split has left it
    stream.answer(moved)
    gone, = stream.take('cluster')
    equal((names(gone), removed(gone)), ([], ['a']))
    equal(server.expect('acked'), 'acked default.web 2')
    stream.close()


def endpoints_follow_their_cluster(server):
    stream = begin(server)
    server.set(PROXY, 2, [cluster('a', 9)] + one()[1:])
    changed = stream.next('cluster')
    stream.take('endpoints')
    stream.silent()
    stream.answer(changed)
    equal(server.expect('acked'), 'acked default.web 2')
    stream.close()


def a_refusal_is_kept_apart(server):
    stream = begin(server)
    wanted = one() + [listener('m'), split('m', 'a')]
    wanted[3] = split('l', 'a', 'a')
    server.set(PROXY, 2, wanted)
    stream.take('listener')
    both = stream.next('extension')
    equal(names(both), ['l', 'm'])
    stream.answer(both, error='l does not please')
    alone, = stream.take('extension')
    equal(len(alone.resources), 1)
    bad = stream.next('extension')
    equal(len(bad.resources), 1)
    stream.answer(bad, error='x' * 1000 + ' not this one')
    line = server.expect('nacked')
    equal(line.split()[:4], ['nacked', PROXY, '4', bad.resources[0].name])
    equal(len(line.split(' ', 4)[4]), 300)
    stream.silent()
    server.tell('status ' + PROXY)
    server.expect('resource 4 %s Nacked xxx' % bad.resources[0].name)
    server.set(PROXY, 3, one() + [listener('m'), split('m', 'a', 'a', 'a')])
    for response in stream.take('extension'):
        equal(response.resources[0].name in ('l', 'm'), True)
    stream.close()


def an_extension_has_the_type_that_its_listener_asks_for(stream):
    filters = 'type.googleapis.com/envoy.extensions.filters.network.'

    def extension(name):
        stream.ask('extension', [name])
        got, = stream.take('extension')
        value = messages.TypedExtensionConfig.FromString(got.resources[0].resource.value)
        equal((value.name, value.typed_config.type_url[:len(filters)]), (name, filters))
        return value.typed_config.type_url[len(filters):], value.typed_config.value

    kind, value = extension('outbound:127.0.0.1:80/http')
    manager = messages.HttpConnectionManager.FromString(value)
    equal((kind, manager.rds.route_config_name, manager.rds.config_source.HasField('ads')),
          ('http_connection_manager.v3.HttpConnectionManager', 'outbound:127.0.0.1:80', True))
    equal([f.typed_config.type_url.split('.')[-1] for f in manager.http_filters], ['Router'])
    equal(manager.rds.config_source.resource_api_version, 2)
    for name in ('inbound:1.2.3.4:80/rbac', 'inbound:[::1]:80/rbac'):
        kind, value = extension(name)
        rbac = messages.NetworkRbac.FromString(value)
        equal((kind, rbac.HasField('rules'), len(rbac.rules.policies)), ('rbac.v3.RBAC', True, 0))
    # A gateway called so, and the host names of its chains.
    for name in ('inbound:TLS:80/rbac', 'outbound:TLS:80/http', 'edge:TLS:80/http',
                 'inbound:1.2.3.4:80', 'inbound:1.2.3.4:80/tls'):
        equal(extension(name)[0], 'tcp_proxy.v3.TcpProxy')


def each_subscription_is_answered(server):
    stream = begin(server)
    stream.ask('endpoints', ['a', 'nobody'])
    got, = stream.take('endpoints')
    equal(names(got), ['a', 'nobody'])
    for resource in got.resources:
        if resource.name == 'nobody':
            empty = messages.ClusterLoadAssignment.FromString(resource.resource.value)
            equal((empty.cluster_name, len(empty.endpoints)), ('nobody', 0))
    stream.ask('secret', ['s'])
    got, = stream.take('secret')
    equal(removed(got), ['s'])
    stream.ask('extension', ['x'])
    got, = stream.take('extension')
    value = messages.TypedExtensionConfig.FromString(got.resources[0].resource.value)
    proxy = messages.TcpProxy.FromString(value.typed_config.value)
    equal((value.name, proxy.cluster, removed(got)), ('x', 'blackhole', []))
    an_extension_has_the_type_that_its_listener_asks_for(stream)
    stream.ask('routes', ['r'])
    got, = stream.take('routes')
    equal(got.resources[0].resource.value, b'\x0a\x01r')  # its name, and no routes
    equal(removed(got), [])
    stream.ask('type.googleapis.com/other', ['o'])
    equal(removed(stream.next()), ['o'])
    stream.close()


def a_reconnected_stream_gets_only_differences(server):
    server.set(PROXY, 1, one())
    stream = Stream(messages, server.address)
    stream.ask('cluster')
    had = {}
    for response in take_one(stream):
        had[response.type_url] = {r.name: r.version for r in response.resources}
    stream.close()
    server.expect('disconnected')
    server.set(PROXY, 2, one()[:3] + [split('l', 'a', 'a')])

    stream = Stream(messages, server.address)
    had[URLS['cluster']]['gone'] = '1234'
    for kind in ('cluster', 'endpoints', 'listener', 'extension'):
        known = had[URLS[kind]]
        stream.ask(kind, [] if kind in ('cluster', 'listener') else list(known),
                   initial=known)
    changed, = stream.take('extension')
    equal(names(changed), ['l'])
    gone, = stream.take('cluster')
    equal((names(gone), removed(gone)), ([], ['gone']))
    equal(server.expect('acked'), 'acked default.web 2')
    stream.silent()
    stream.close()


def two_streams_of_one_node(server):
    older = begin(server)
    newer = Stream(messages, server.address)
    newer.ask('cluster')
    take_one(newer)
    equal(server.expect('acked'), 'acked default.web 1')
    server.set(PROXY, 2, one()[:3] + [split('l', 'a', 'a')])
    older.next('extension')
    newer.take('extension')
    equal(server.expect('acked'), 'acked default.web 2')
    older.close()
    newer.close()


def what_is_not_served_is_refused(server):
    stream = Stream(messages, server.address, method='StreamAggregatedResources')
    stream.ask('cluster')
    code, details = stream.ended()
    equal(code, grpc.StatusCode.UNIMPLEMENTED)
    equal('DELTA_GRPC' in details, True)
    stream = Stream(messages, server.address, method='Nothing')
    stream.ask('cluster')
    equal(stream.ended()[0], grpc.StatusCode.UNIMPLEMENTED)
    stream = Stream(messages, server.address, compression=grpc.Compression.Gzip)
    stream.ask('cluster', ['x' * 200] * 50)
    equal(stream.ended()[0], grpc.StatusCode.UNIMPLEMENTED)


def bad_requests_end_the_stream(server):
    stream = Stream(messages, server.address, node='')
    stream.ask('cluster')
    equal(stream.ended()[0], grpc.StatusCode.INVALID_ARGUMENT)
    stream = Stream(messages, server.address, node='default.a\0b')
    stream.ask('cluster')
    equal(stream.ended()[0], grpc.StatusCode.INVALID_ARGUMENT)
    stream = Stream(messages, server.address)
    stream.ask('')
    equal(stream.ended()[0], grpc.StatusCode.INVALID_ARGUMENT)
    stream = Stream(messages, server.address)
    stream.ask('cluster')
    stream.ask('listener', node='default.other')
    equal(stream.ended()[0], grpc.StatusCode.PERMISSION_DENIED)
    stream = Stream(messages, server.address)
    stream.ask('cluster', ['x' * 1000] * 5000)
    equal(stream.ended()[0], grpc.StatusCode.RESOURCE_EXHAUSTED)
    server.tell('refuse default.thief')
    stream = Stream(messages, server.address, node='default.thief')
    stream.ask('cluster')
    equal(stream.ended(), (grpc.StatusCode.PERMISSION_DENIED,
                           'not with this token'))


def many_resources_come_in_parts(server):
    wanted = []
    for i in range(300):
        wanted += [cluster('c%03d' % i), endpoints('c%03d' % i)]
        wanted += [('secret', 's%03d' % i, b'\x0a' + bytes([200, 1]) + b'x' * 200 * 100)]
    server.set(PROXY, 1, wanted)
    stream = Stream(messages, server.address)
    stream.ask('cluster')
    equal(len(stream.next('cluster').resources), 300)
    equal(len(stream.next('endpoints').resources), 300)
    secrets = 0
    while secrets < 300:
        response, = stream.take('secret')
        secrets += len(response.resources)
    equal(secrets, 300)
    stream.close()


def the_end_is_said(server):
    stream = begin(server)
    server.tell('close')
    code, _ = stream.ended()
    equal(code != grpc.StatusCode.OK, True)
    equal(server.process.wait(PATIENCE), 0)


STORIES = [first_answer_is_whole_and_in_order, an_unknown_proxy_waits, only_what_changed,
           one_in_flight_and_the_newest_after_it, make_before_break,
           endpoints_follow_their_cluster, a_refusal_is_kept_apart,
           each_subscription_is_answered, a_reconnected_stream_gets_only_differences,
           two_streams_of_one_node, what_is_not_served_is_refused,
           bad_requests_end_the_stream, many_resources_come_in_parts, the_end_is_said]


def main(program, proto):
    global messages
    messages = load_messages(proto)
    failed = []
    for story in STORIES:
        server = Server(program)
        try:
            story(server)
            if server.process.poll() is None:
                server.close()
            print('ok    ', story.__name__, flush=True)
        except Exception:  # whatever it was, the next story is told
            failed.append(story.__name__)
            traceback.print_exc()
            print('FAILED', story.__name__, flush=True)
            server.process.kill()
    print('%d of %d failed' % (len(failed), len(STORIES)), *failed)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))

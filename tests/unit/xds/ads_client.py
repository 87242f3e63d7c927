"""A delta ADS client on gRPC's own library, and a hold on ads_server_for_test.

The messages are generated from proto/envoy.proto when a test starts.
"""
import atexit
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading

SKIP = 77
TYPES = ['cluster', 'endpoints', 'secret', 'listener', 'extension', 'routes']
URLS = dict(zip(TYPES, [
    'type.googleapis.com/envoy.config.cluster.v3.Cluster',
    'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
    'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
    'type.googleapis.com/envoy.config.listener.v3.Listener',
    'type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig',
    'type.googleapis.com/envoy.config.route.v3.RouteConfiguration']))
SERVICE = '/envoy.service.discovery.v3.AggregatedDiscoveryService/'
PATIENCE = 10  # seconds until something that must happen counts as missing
QUIET = 0.3  # seconds in which something that must not happen would have

try:
    import grpc
    import google.protobuf  # noqa: F401
except ImportError as missing:
    print('SKIP SKIP SKIP: the independent gRPC client did not run:', missing)
    print('SKIP SKIP SKIP: install python3-grpcio and python3-protobuf')
    sys.exit(SKIP)


def load_messages(proto):
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run(['protoc', '-I' + os.path.dirname(proto), '--python_out=' + folder,
                    proto], check=True)
    sys.path.insert(0, folder)
    import envoy_pb2
    return envoy_pb2


class Server:
    """ads_server_for_test: commands in, lines out."""

    def __init__(self, program):
        self.folder = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.process = subprocess.Popen([program, 'unix:%s/xds' % self.folder], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.address = self.expect('listening').split()[1]

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip('\n'))
        self.lines.put(None)

    def tell(self, line):
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()

    def set(self, proxy, revision, resources):
        """resources: (type, name, message or bytes)"""
        for kind, name, body in resources:
            raw = body if isinstance(body, bytes) else body.SerializeToString()
            self.tell('add %d %s %s' % (TYPES.index(kind), name, raw.hex()))
        self.tell('set %s %d' % (proxy, revision))

    def expect(self, start):
        """The next line that begins so; others before it are dropped."""
        while True:
            line = self.lines.get(timeout=PATIENCE)
            if line is None:
                raise AssertionError('the server ended; waited for ' + start)
            if line.startswith(start):
                return line

    def close(self):
        self.tell('close')
        if self.process.wait(PATIENCE) != 0:
            raise AssertionError('the server ended with %d' % self.process.returncode)


class Stream:
    """One ADS stream, driven request by request."""

    def __init__(self, messages, address, node='default.web', compression=None,
                 method='DeltaAggregatedResources'):
        self.messages = messages
        self.node = node
        self.requests = queue.Queue()
        self.responses = queue.Queue()
        self.channel = grpc.insecure_channel(
            address, options=[('grpc.use_local_subchannel_pool', 1)],
            compression=compression)
        call = self.channel.stream_stream(
            SERVICE + method,
            request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=messages.DeltaDiscoveryResponse.FromString)
        self.call = call(iter(self.requests.get, None))
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            for response in self.call:
                self.responses.put(response)
            self.responses.put(None)
        except grpc.RpcError as error:
            self.responses.put(error)

    def ask(self, kind, subscribe=(), unsubscribe=(), initial=None, nonce='', error=None,
            node=None):
        request = self.messages.DeltaDiscoveryRequest(
            type_url=URLS.get(kind, kind), resource_names_subscribe=subscribe,
            resource_names_unsubscribe=unsubscribe, initial_resource_versions=initial,
            response_nonce=nonce)
        if self.node:
            request.node.id = self.node
            request.node.cluster = 'web'
            self.node = None  # the first request only
        if node:
            request.node.id = node
        if error is not None:
            request.error_detail.code = 13
            request.error_detail.message = error
        self.requests.put(request)

    def answer(self, response, error=None):
        self.ask(response.type_url, nonce=response.nonce, error=error)

    def next(self, kind=None):
        response = self.responses.get(timeout=PATIENCE)
        if response is None or isinstance(response, grpc.RpcError):
            raise AssertionError('the stream ended: %s' % response)
        if kind and response.type_url != URLS[kind]:
            raise AssertionError('expected %s, got %s' % (kind, response.type_url))
        return response

    def take(self, *kinds):
        """The next responses, which are of these kinds in this order, acknowledged."""
        taken = [self.next(kind) for kind in kinds]
        for response in taken:
            self.answer(response)
        return taken

    def ended(self):
        """The status with which the server ended the stream."""
        while True:
            response = self.responses.get(timeout=PATIENCE)
            if isinstance(response, grpc.RpcError):
                return response.code(), response.details()
            if response is None:
                return grpc.StatusCode.OK, ''

    def silent(self):
        try:
            response = self.responses.get(timeout=QUIET)
        except queue.Empty:
            return True
        raise AssertionError('unexpected: %s' % response)

    def close(self):
        self.requests.put(None)
        self.call.cancel()
        self.channel.close()


def names(response):
    return sorted(resource.name for resource in response.resources)

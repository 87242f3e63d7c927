"""What timeouts, retries, limits and checks do to requests."""
import contextlib
import http.client
import http.server
import threading

import local
from scenarios_settings import Place, applied, apply, check, to
from story import SERVICE, expect, scenario


class Server(http.server.ThreadingHTTPServer):
    """Answers as it is told: with a status, at once or never. It counts what it is asked."""

    daemon_threads = True

    def __init__(self, name):
        super().__init__(("127.0.0.1", 0), Answer)
        self.name, self.status, self.lives = name, 200, 200
        self.free = threading.Event()
        self.free.set()
        self.lock, self.count = threading.Lock(), 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """Who asked has gone: that is what happens here."""

    @property
    def port(self):
        """Where it listens."""
        return self.server_address[1]

    @contextlib.contextmanager
    def stuck(self):
        """It answers nobody meanwhile."""
        self.free.clear()
        try:
            yield
        finally:
            self.free.set()


class Answer(http.server.BaseHTTPRequestHandler):
    """One connection of a Server."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):  # pylint: disable=invalid-name  # the name that is called
        """Answer."""
        if self.path == "/lives":
            self.say(self.server.lives)
            return
        with self.server.lock:
            self.server.count += 1
        self.server.free.wait(60)
        self.say(self.server.status)

    do_POST = do_GET  # pylint: disable=invalid-name

    def say(self, status):
        """A status, and the server's name."""
        text = self.server.name.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        """Say nothing."""


def ask(port, path="/", method="GET"):
    """One request; (status, who answered, or what Envoy says)."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        link.request(method, path)
        answer = link.getresponse()
        return answer.status, answer.read().decode()
    finally:
        link.close()


def place_of(stage, **versions):
    """A Place with servers of requests, and them by name."""
    servers = {name: Server(name) for name in versions}
    place = Place(stage, versions, {name: one.port for name, one in servers.items()}, "http",
                  SERVICE)
    return place, servers


def requests(*versions, prefix="/", name="requests"):
    """A MeshHTTPRoute: what begins so goes to these versions."""
    return {"type": "MeshHTTPRoute", "name": name, "mesh": "default", "spec": {"to": [{
        "targetRef": {"kind": "MeshService", "name": SERVICE}, "rules": [{
            "matches": [{"path": {"type": "PathPrefix", "value": prefix}}],
            "default": {"backendRefs": [
                {"kind": "MeshServiceSubset", "name": SERVICE, "weight": 1,
                 "tags": {"version": version}} for version in versions]}}]}]}}


def of_route(kind, default, name):
    """A policy about the requests of one MeshHTTPRoute, by its name."""
    policy = to(kind, default, name=f"of-{name}")
    policy["spec"]["to"][0]["targetRef"] = {"kind": "MeshHTTPRoute", "name": name}
    return policy


@scenario()
def settings_request_timeout(stage):
    """A request that is not answered in time gets a 504, behind a split too; one route has
    a time of its own; no time, no 504."""
    place, servers = place_of(stage, a="v0", b="v1")
    apply(place.hub, requests("v0", "v1"), requests("v1", prefix="/slow", name="slow"),
          to("MeshTimeout", {"http": {"requestTimeout": "400ms"}}, SERVICE),
          of_route("MeshTimeout", {"http": {"requestTimeout": "0s"}}, "slow"))
    with servers["a"].stuck(), servers["b"].stuck():
        answers = [ask(place.port)[0] for _ in range(12)]
        expect(answers == [504] * 12, f"{answers}")
        late = threading.Timer(2, servers["b"].free.set)
        late.start()
        answer = ask(place.port, "/slow")
        late.join()
        expect(answer == (200, "b"), f"the route without a time: {answer}")
    timeouts = place.counts("upstream_rq_timeout")
    expect(sum(timeouts.values()) == 12, f"{timeouts}")
    expect(ask(place.port)[0] == 200, "not answered afterwards")
    return "12 of 12 got 504, one of 2 s by a route of its own"


@scenario()
def settings_requests_are_tried_again(stage):
    """Requests that fail are tried as often as the policy says, counted by the servers."""
    place, servers = place_of(stage, a="v0", b="v0")
    bad = servers["a"]
    apply(place.hub, requests("v0"), to("MeshRetry", {"http": {
        "numRetries": 3, "retryOn": ["503", "HttpMethodGet"],
        "backOff": {"baseInterval": "1ms"}}}, SERVICE))
    for one in servers.values():
        one.status = 503
    answers = [ask(place.port)[0] for _ in range(5)]
    count = sum(one.count for one in servers.values())
    expect(answers == [503] * 5 and count == 20, f"{answers}, {count} tries")
    expect(place.counts("upstream_rq_retry") == {"v0": 15}, "not 15 of 20 again")
    ask(place.port, method="POST")
    expect(sum(one.count for one in servers.values()) == 21, "a POST was tried again")

    servers["b"].status = 200
    apply(place.hub, to("MeshRetry", {"http": {
        "numRetries": 1, "retryOn": ["503"], "hostSelectionMaxAttempts": 20,
        "hostSelection": [{"predicate": "OmitPreviousHosts"}]}}, SERVICE))
    before = bad.count
    answers = [ask(place.port) for _ in range(20)]
    expect(answers == [(200, "b")] * 20 and bad.count > before, f"elsewhere: {answers}")
    return f"20 tries of 5 requests, {bad.count - before} of 20 answered elsewhere"


@scenario()
def settings_requests_avoid_the_bad(stage):
    """An instance that answers badly is left out: by a check that asks it by HTTP, then by
    outlier detection; limits on requests answer 503."""
    place, servers = place_of(stage, a="v0", b="v0")
    bad = servers["a"]
    checked = to("MeshHealthCheck", {**check(), "http": {
        "path": "/lives", "expectedStatuses": [200]}}, SERVICE)
    apply(place.hub, requests("v0"), checked)
    bad.lives = bad.status = 503
    local.wait_for("it is out", lambda: place.counts("membership_healthy") == {"v0": 1})
    answers = [ask(place.port) for _ in range(20)]
    expect(answers == [(200, "b")] * 20, f"by the check: {answers}")
    checked["spec"]["to"][0]["default"] = {**check(), "http": {"disabled": True}}
    apply(place.hub, checked, to("MeshCircuitBreaker", {"outlierDetection": {
        "baseEjectionTime": "5m", "detectors": {"gatewayFailures": {"consecutive": 3}}}},
                                 SERVICE))
    found = applied(place.backend()["backends"][0])
    expect("tcp" in found, f"not by connections: {found}")
    local.wait_for("it is ejected", lambda: ask(place.port) and place.counts(
        "outlier_detection.ejections_active")["v0"])
    passed = place.counts("health_check.success")["v0"]
    local.wait_for("it passes checks", lambda: place.counts(
        "health_check.success")["v0"] >= passed + 6)
    answers = [ask(place.port) for _ in range(20)]
    expect(answers == [(200, "b")] * 20, f"by its answers: {answers}")

    apply(place.hub, to("MeshCircuitBreaker", {"connectionLimits": {"maxRequests": 2}}, SERVICE,
                        "limits"))
    seen = []
    with servers["b"].stuck(), bad.stuck():
        threads = [threading.Thread(target=lambda: seen.append(ask(place.port)[0]))
                   for _ in range(10)]
        for thread in threads:
            thread.start()
        local.wait_for("who is over the limit is answered", lambda: len(seen) >= 8)
        expect(seen == [503] * 8, f"{seen}")
    for thread in threads:
        thread.join()
    return "out by a check, out by its answers, 8 of 10 requests over a limit of 2"

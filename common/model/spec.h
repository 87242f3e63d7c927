/* model/spec.h - the typed content of each kind, as policy and envoy read it.
 *
 * Filled from a document by the schema table (schema.c), with the defaults of
 * kinds-spec.md in place. Absent text is "" unless said otherwise, absent numbers 0.
 *
 * Threads:  immutable once made.
 * Lifetime: in the arena of their resource.
 */
#pragma once

#include "model/labels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strings {
	const char *const *items;
	size_t count;
};

/* ---- Mesh ---- */
enum unresolved { UNRESOLVED_BLACKHOLE, UNRESOLVED_RENORMALISE };

/* Where a certificate or key is: a Secret of the mesh, or in the document. */
struct data_source {
	const char *secret; /* "": in the document */
	const char *text;   /* PEM, decoded; "": in a Secret, or absent */
};

struct ca_conf {
	struct data_source cert, key; /* of a provided CA */
};

struct mesh_backend {
	const char *name, *type, *mode;
	bool permissive;  /* mode */
	uint64_t cert_ms; /* how long a workload certificate lives; default a day */
	/* Of a builtin CA. */
	uint32_t rsa_bits; /* 0: EC P-256 */
	uint64_t ca_ms;    /* how long the root lives; default ten years */
	struct ca_conf conf;
};

/* meshServices.mode: which MeshServices zones derive, and in EXCLUSIVE that tag services
 * are no destinations any more. */
enum mesh_services {
	MESH_SERVICES_DISABLED,
	MESH_SERVICES_EVERYWHERE,
	MESH_SERVICES_REACHABLE,
	MESH_SERVICES_EXCLUSIVE
};

/* Where TrafficLogs write to. */
struct mesh_log {
	const char *name, *format; /* "": the default format */
	bool tcp;                  /* type: to an address; else to a file */
	const char *address, *path;
};

struct mesh_spec {
	bool locality_aware; /* default true (D21) */
	bool zone_egress;
	enum unresolved unresolved;
	enum mesh_services services;
	const char *mtls_backend;    /* "": mTLS is off */
	bool skip_validation;        /* of provided authorities */
	bool let_in;                 /* mtls.defaultPermission: Allow (P9) */
	const char *log_backend;     /* logging.defaultBackend; "": none */
	const struct mesh_log *logs; /* logging.backends, for TrafficLog */
	size_t log_count;
	const struct mesh_backend *backends;
	size_t backend_count;
};

/* The backend of the mesh that signs; NULL: mTLS is off. */
const struct mesh_backend *mesh_signer(const struct mesh_spec *mesh);

/* The name of the Secret that holds the certificate, or the key, of the authority of a
 * backend: the one its source names, or for a builtin one
 * "<mesh>.ca-builtin-cert-<backend>". "": it stands in the document. In arena. */
const char *mesh_backend_secret(const char *mesh, const struct mesh_backend *backend,
				bool key, struct zl_arena *arena);

/* What a mesh that no document declares has. */
extern const struct mesh_spec MESH_DEFAULTS;

/* ---- Zone ---- */

/* How a zone stands for the others (D13): what global last told of it. STALE: nothing was
 * heard of it, its endpoints come last. OFFLINE: for long, and its ingresses do not
 * answer; its endpoints are withdrawn where there are others. */
enum zone_condition { ZONE_ONLINE, ZONE_STALE, ZONE_OFFLINE };
const char *zone_condition_name(enum zone_condition condition); /* "Stale" */

struct zone_spec {
	bool enabled; /* default true */
	/* Of status, which global alone writes. */
	enum zone_condition condition;
	const char *since; /* when it was last heard of, RFC 3339; "" while Online */
};

/* ---- Dataplane ---- */
enum inbound_state { INBOUND_READY, INBOUND_NOT_READY, INBOUND_IGNORED };

struct inbound {
	const char *address; /* "": networking.address */
	uint32_t port;
	const char *service_address; /* "": not written */
	uint32_t service_port;       /* 0: port */
	const char *name;
	enum inbound_state state; /* health.ready already folded in */
	struct labels tags;       /* as written: kuma.io/zone is added by inventory */
};

enum ref_kind { /* in the order of precedence of a top-level kind (spec 3.2 key 1) */
		REF_NONE,
		REF_MESH,
		REF_DATAPLANE,
		REF_MESH_SUBSET,
		REF_MESH_GATEWAY,
		REF_MESH_SERVICE,
		REF_MESH_EXTERNAL_SERVICE,
		REF_MESH_MULTI_ZONE_SERVICE,
		REF_MESH_SERVICE_SUBSET,
		REF_MESH_HTTP_ROUTE
};
const char *ref_kind_name(enum ref_kind kind);

struct target_ref {
	enum ref_kind kind;
	const char *name, *ns, *section; /* "": absent */
	struct labels tags, labels;
	bool has_labels;       /* also when {} was written */
	bool sidecar, gateway; /* proxyTypes; both true when absent */
	uint32_t port;         /* 0: absent */
};

struct outbound {
	const char *address; /* "127.0.0.1" when absent */
	uint32_t port;
	struct labels tags;
	bool has_backend; /* backendRef instead of tags */
	struct target_ref backend;
};

enum gateway_type { GATEWAY_NONE, GATEWAY_DELEGATED, GATEWAY_BUILTIN };

struct dataplane_spec {
	const char *address;
	const char *advertised; /* "": address */
	uint32_t admin_port;
	const struct inbound *inbounds;
	size_t inbound_count;
	const struct outbound *outbounds;
	size_t outbound_count;
	enum gateway_type gateway;
	struct labels gateway_tags;
};

/* ---- ZoneIngress ---- */
struct available_service {
	const char *mesh; /* "default" when absent */
	struct labels tags;
	uint64_t instances;
};

struct zone_ingress_spec {
	const char *zone; /* "": label kuma.io/zone, else the zone that holds it */
	const char *address;
	uint32_t port;
	const char *advertised; /* "": not advertised, other zones skip it */
	uint32_t advertised_port;
	const struct available_service *services;
	size_t service_count;
};

/* ---- ZoneEgress ---- */
struct zone_egress_spec {
	const char *zone; /* as in zone_ingress_spec */
	const char *address;
	uint32_t port;
};

/* ---- MeshTCPRoute ---- */
struct backend_ref {
	struct target_ref ref;
	uint64_t weight; /* default 1 */
};

struct tcp_to {
	struct target_ref target;
	bool has_rule; /* false: no rules, route to itself (B5) */
	const struct backend_ref *refs;
	size_t ref_count;
};

struct tcp_route_spec {
	struct target_ref target; /* {kind: Mesh} when absent */
	const struct tcp_to *to;
	size_t to_count;
};

/* ---- service objects ---- */
struct service_port {
	uint32_t port;           /* what clients name */
	uint32_t target;         /* of a MeshService: the inbound's port; 0: by name */
	const char *target_name; /* the inbound's name; "": by number */
	const char *name;        /* "": not written, the number stands for it */
	const char *protocol;    /* default "tcp" */
};

struct service_identity {
	bool spiffe; /* value is the whole SPIFFE ID; else a value of kuma.io/service */
	const char *value;
};

struct mesh_service_spec {
	bool by_tags;          /* selector.dataplaneTags was written */
	struct labels tags;    /* of the inbounds that it selects */
	const char *dataplane; /* by name; "": by tags, or no selector at all */
	const struct service_port *ports;
	size_t port_count;
	bool available; /* state */
	const struct service_identity *identities;
	size_t identity_count;
};

struct multi_zone_spec {
	struct labels match; /* of MeshServices */
	const struct service_port *ports;
	size_t port_count;
};

enum tls_version { TLS_AUTO, TLS_10, TLS_11, TLS_12, TLS_13 };
enum tls_verify { VERIFY_SECURED, VERIFY_SKIP_SAN, VERIFY_SKIP_CA, VERIFY_SKIP_ALL };

struct expected_name {
	bool prefix;
	const char *value;
};

/* How TLS is started towards something outside the mesh. */
struct external_tls {
	bool enabled;
	enum tls_version min, max;
	bool renegotiation;
	enum tls_verify verify;
	const char *server_name; /* as written; "": none */
	const struct expected_name *names;
	size_t name_count;
	struct data_source ca, cert, key; /* no ca: the system's roots */
};

struct external_address {
	const char *address; /* an IP address or a DNS name */
	uint32_t port;
};

struct mesh_external_spec {
	uint32_t port; /* match.port, what clients name */
	const char *protocol;
	const struct external_address *endpoints;
	size_t endpoint_count;
	struct external_tls tls;
};

/* The legacy kind: found by its tags. */
struct external_spec {
	struct labels tags;
	struct external_address endpoint;
	struct external_tls tls;
};

/* ---- MeshHTTPRoute ---- */
enum http_path { HTTP_PATH_NONE, HTTP_PATH_EXACT, HTTP_PATH_PREFIX, HTTP_PATH_REGEX };
enum http_value {
	HTTP_VALUE_EXACT,
	HTTP_VALUE_PRESENT,
	HTTP_VALUE_REGEX,
	HTTP_VALUE_ABSENT,
	HTTP_VALUE_PREFIX
};

struct http_field { /* a header or a query parameter */
	const char *name, *value;
	enum http_value type;
};

struct http_match {
	enum http_path path_type;
	const char *path;   /* "": any */
	const char *method; /* "": any */
	const struct http_field *headers;
	size_t header_count;
	const struct http_field *params;
	size_t param_count;
};

struct http_rule {
	const struct http_match *matches; /* at least one; any of them is enough */
	size_t match_count;
	const struct backend_ref *refs; /* none: to itself */
	size_t ref_count;
};

struct http_to {
	struct target_ref target;
	const struct http_rule *rules;
	size_t rule_count;
};

struct http_route_spec {
	struct target_ref target; /* as in tcp_route_spec, and first there too */
	const struct http_to *to;
	size_t to_count;
};

/* ---- TrafficRoute ---- */
struct tag_selector {
	struct labels match;
};

struct traffic_split {
	uint64_t weight;
	struct labels destination;
};

struct traffic_route_spec {
	const struct tag_selector *sources;
	size_t source_count;
	const struct tag_selector *destinations;
	size_t destination_count;
	const struct traffic_split *split; /* conf.destination: one of weight 1 */
	size_t split_count;
};

/* ---- MeshGateway ---- */
enum gateway_protocol { GATEWAY_TCP, GATEWAY_TLS, GATEWAY_HTTP, GATEWAY_HTTPS };
enum gateway_tls { GATEWAY_TLS_NONE, GATEWAY_TLS_TERMINATE, GATEWAY_TLS_PASSTHROUGH };

struct gateway_listener {
	uint32_t port;
	enum gateway_protocol protocol;
	const char *hostname; /* "*" when absent */
	enum gateway_tls tls;
	const struct data_source *certs;
	size_t cert_count;
	struct labels tags;
};

struct mesh_gateway_spec {
	const struct tag_selector *selectors;
	size_t selector_count;
	struct labels tags;
	const struct gateway_listener *listeners;
	size_t listener_count;
};

/* ---- MeshLoadBalancingStrategy, its locality part ---- */
enum failover_type { FAILOVER_ANY, FAILOVER_NONE, FAILOVER_ONLY, FAILOVER_ANY_EXCEPT };

/* Where the connections of these zones may go when their own has not enough. */
struct failover {
	struct strings from; /* none: those of every zone */
	enum failover_type type;
	struct strings zones; /* of ONLY and ANY_EXCEPT */
};

struct affinity_tag {
	const char *key;
	uint64_t weight; /* 9 x 10^(n-i-1) where none is written */
};

/* What is not written is left to the policy of less precedence (spec 3.6). */
struct locality {
	bool has_disabled, disabled;
	bool has_local; /* localZone was written */
	bool has_tags;  /* localZone.affinityTags was written */
	const struct affinity_tag *tags;
	size_t tag_count;
	bool has_cross;    /* crossZone was written */
	bool has_failover; /* crossZone.failover was written */
	const struct failover *failovers;
	size_t failover_count;
	double threshold; /* percent, above 0, at most 100; 0: not written */
};

struct balancing_to {
	struct target_ref target;
	struct locality locality;
};

struct balancing_spec {
	struct target_ref target; /* as in tcp_route_spec, and first there too */
	const struct balancing_to *to;
	size_t to_count;
};

/* ---- policies that attach to what routes make: MeshTimeout to MeshTrafficPermission
 * ---- */

struct tree;

/* An item of to, from or rules. */
struct attached_item {
	struct target_ref target; /* of rules: REF_NONE */
	const struct tree *conf;  /* default, as written, without nulls */
};

struct attached_items {
	const struct attached_item *items;
	size_t count;
};

struct attached_spec {
	struct target_ref target; /* as in tcp_route_spec, and first there too */
	struct attached_items to, from, rules;
};

/* The legacy kinds: Timeout to TrafficPermission. */
struct legacy_spec {
	const struct tag_selector *sources;
	size_t source_count;
	const struct tag_selector *destinations;
	size_t destination_count;
	const struct tree *conf; /* as written; NULL: absent (TrafficPermission) */
};

/* What confs say, once they are merged: conf_read (conf.h) makes them. Not set: no word
 * is said of it. */
struct span {
	bool set;
	uint64_t ms;
};
struct number {
	bool set;
	uint32_t value;
};
struct fraction { /* a percentage or a factor */
	bool set;
	double value;
};

struct timeout_conf {
	struct span connect, idle;
	struct span request, stream_idle, max_stream, max_connection, request_headers;
};

enum host_predicate {
	OMIT_PREVIOUS_HOSTS,
	OMIT_HOSTS_WITH_TAGS,
	OMIT_PREVIOUS_PRIORITIES
};
struct host_selection {
	enum host_predicate predicate;
	struct labels tags;
	uint32_t frequency; /* updateFrequency, default 2 */
};
struct reset_header {
	const char *name;
	bool unix_time; /* format: UnixTimestamp; else Seconds */
};
struct request_retry {
	bool set; /* the section is there */
	struct number retries;
	struct span per_try, base, max;    /* base, max: of backOff */
	const struct reset_header *resets; /* of rateLimitedBackOff */
	size_t reset_count;
	struct span reset_max;
	bool has_retry_on;
	struct strings retry_on; /* as written */
	const struct http_field *request_headers;
	size_t request_header_count;
	const struct http_field *response_headers;
	size_t response_header_count;
	const struct host_selection *selections;
	size_t selection_count;
	uint64_t selection_attempts; /* 0: not set */
};
struct retry_conf {
	struct number connect_attempts; /* tcp.maxConnectAttempt */
	struct request_retry http, grpc;
};

struct checked_header {
	const char *name, *value;
	bool add; /* else set */
};
struct health_conf {
	struct span interval, timeout; /* always set: 1 m, 15 s */
	uint32_t unhealthy, healthy;   /* thresholds: 5, 1 */
	struct span initial_jitter, interval_jitter, no_traffic;
	struct number jitter_percent;
	struct fraction panic;                     /* healthyPanicThreshold */
	bool fail_on_panic, always_log, keep_open; /* keep_open: reuseConnection, or not
						    * written: true */
	const char *event_log;                     /* "": none */
	struct {
		bool set, disabled;
		const char *send; /* Base64; "": connect only */
		struct strings receive;
	} tcp;
	struct {
		bool set, disabled;
		const char *path; /* "/" */
		const struct checked_header *headers;
		size_t header_count;
		const uint32_t *statuses; /* none: 200 */
		size_t status_count;
	} http;
	struct {
		bool set, disabled;
		const char *service, *authority; /* "" */
	} grpc;
};

struct breaker_conf {
	bool has_limits;
	struct number connections, pools, pending, retries, requests;
	bool has_detection, disabled, split_errors;
	struct span interval, ejection; /* ejection: baseEjectionTime */
	struct number max_percent;
	struct fraction panic;
	struct number total, gateway, local_origin; /* consecutive */
	bool has_success_rate, has_failure_percentage;
	struct number success_hosts, success_volume;
	struct fraction success_factor;
	struct number failure_hosts, failure_volume, failure_threshold;
	/* Of the legacy kind, which enforces with Envoy's number what is written as {}.
	 */
	bool has_total, has_gateway, has_local_origin;
};

enum log_type { LOG_TCP, LOG_FILE, LOG_OPEN_TELEMETRY };
struct log_pair {
	const char *key, *value;
};
struct log_backend {
	enum log_type type;
	const char *path;             /* of a file */
	const char *address;          /* "host:port", of Tcp; endpoint with its port */
	bool json;                    /* the format is pairs */
	const char *plain;            /* as written; "": the default */
	const struct log_pair *pairs; /* of json; of OpenTelemetry its attributes */
	size_t pair_count;
	bool omit_empty;
	const struct tree *body; /* of OpenTelemetry; NULL: none */
};
struct log_conf {
	bool set; /* backends: also if [] */
	const struct log_backend *backends;
	size_t count;
};

enum permission_action { ACTION_ALLOW, ACTION_DENY, ACTION_SHADOW_DENY };
/* MeshTrafficPermission: of from an action, of rules lists, which are not merged. */
struct permission_conf {
	enum permission_action action;
	const struct expected_name *allow;
	size_t allow_count;
	const struct expected_name *shadow; /* allowWithShadowDeny */
	size_t shadow_count;
	const struct expected_name *deny;
	size_t deny_count;
};

/* ---- Secret ---- */
enum { SECRET_BYTES_MAX = 65536 }; /* of the content */

struct secret_spec {
	const char *data;    /* base64, as written; "" in what is stored */
	const char *version; /* of the content, in what is stored; "" as written */
};

#include "analyze/rules.h"

#include <string.h>

/* A code that was released keeps its meaning; codes of rules that end are not used again.
 * ZL00x: documents, ZL01x and ZL02x: references and weights, ZL03x: selection and order,
 * ZL04x: what is offered, ZL05x: gateways, ZL06x: Secrets; ZL049 and from ZL052:
 * policies that attach to routes. */
/* clang-format off */
const struct analyze_rule ANALYZE_RULES[RULE_END] = {
	[RULE_DEPRECATED_TOP] = {
		"ZL001", ANALYZE_WARNING, "The kind of the top-level targetRef is deprecated",
		"MeshSubset, MeshService and MeshServiceSubset still work there, but later releases "
		"may refuse them. Dataplane with labels says the same.",
		"Use kind Dataplane with labels in place of {}, and label the Dataplanes." },
	[RULE_SUBSET_OF_ALL] = {
		"ZL002", ANALYZE_WARNING, "MeshSubset without tags",
		"Without tags it selects every proxy of the mesh, as kind Mesh does.",
		"Write the tags, or kind: Mesh if every proxy is meant." },
	[RULE_SUBSET_UNTAGGED] = {
		"ZL003", ANALYZE_WARNING, "MeshServiceSubset without tags",
		"Without tags it means all instances of the service, as kind MeshService does.",
		"Write the tags, or kind: MeshService if all of \"{}\" is meant." },
	[RULE_SHADOW] = {
		"ZL004", ANALYZE_INFO, "The policy is a shadow policy",
		"With the label kuma.io/effect: shadow it is stored and shown, and configures no "
		"proxy.",
		"Remove the label kuma.io/effect when the policy shall take effect." },
	[RULE_NO_MESH] = {
		"ZL005", ANALYZE_WARNING, "The mesh has no Mesh document",
		"Global refuses what belongs to a mesh that does not exist; here the defaults of a "
		"Mesh were assumed. A new global has the mesh \"default\".",
		"Add a document {type: Mesh, name: {}}, or correct the field mesh." },
	[RULE_TO_NO_OBJECT] = {
		"ZL010", ANALYZE_WARNING, "An entry of to finds no object",
		"A reference with namespace, port, sectionName or labels, or to a kind other than "
		"MeshService, asks for a real object and never falls back on a service by its tag. "
		"The entry has no effect.",
		"Add the object, or refer to a service by kind MeshService and name alone: the "
		"value of its tag kuma.io/service." },
	[RULE_TO_UNKNOWN] = {
		"ZL012", ANALYZE_WARNING, "An entry of to names a service that nobody offers",
		"No inbound and no ZoneIngress has the service, and no outbound asks for it, so the "
		"entry has no effect.",
		"Correct the name \"{}\", or add the Dataplane that offers it." },
	[RULE_TO_TWICE] = {
		"ZL013", ANALYZE_WARNING, "A policy has the same destination twice",
		"Within one policy the last entry about a destination replaces the ones before it.",
		"Keep one entry about \"{}\"." },
	[RULE_BACKEND_UNKNOWN] = {
		"ZL014", ANALYZE_ERROR, "A backendRef names a service that nobody offers",
		"It keeps its share of the connections, and they are closed; with "
		"unresolvedBackends: Renormalise the others take them.",
		"Correct the name \"{}\", add the Dataplane that offers it, or remove the entry." },
	[RULE_NO_SUCH_SUBSET] = {
		"ZL015", ANALYZE_WARNING, "A backendRef asks for a subset that nobody offers",
		"The service is there, but no instance has all of these tags: the share of this "
		"entry fails.",
		"Correct the tags, or tag the instances of \"{}\"." },
	[RULE_WEIGHT_0] = {
		"ZL016", ANALYZE_INFO, "A backendRef has weight 0",
		"It gets no connection. That may be meant, as the first step of a canary.",
		"Give \"{}\" a weight, or remove the entry." },
	[RULE_BACKEND_TWICE] = {
		"ZL017", ANALYZE_WARNING, "A list has the same target twice",
		"Equal targets are joined and their weights added, which the list does not show.",
		"Keep one entry for \"{}\" with the sum of the weights." },
	[RULE_ALL_WEIGHTS_0] = {
		"ZL018", ANALYZE_ERROR, "All weights of a list are 0",
		"No target is left: every connection to the destination is closed.",
		"Give at least one entry a weight above 0." },
	[RULE_NOT_100] = {
		"ZL019", ANALYZE_INFO, "The weights of a list do not add up to 100",
		"Weights are shares of their sum, not percentages: 90 and 20 are 81.8 % and 18.2 %.",
		"Nothing, if shares are meant; else let the sum be 100." },
	[RULE_BACKEND_NO_OBJECT] = {
		"ZL020", ANALYZE_ERROR, "A backendRef finds no object",
		"A reference with namespace, port, sectionName or labels, or to a kind other than "
		"MeshService and MeshServiceSubset, asks for a real object and never falls back on "
		"a service by its tag. Its share of the connections is closed.",
		"Add the object, or refer to a service by kind MeshService and name alone: the "
		"value of its tag kuma.io/service." },
	[RULE_AMBIGUOUS] = {
		"ZL021", ANALYZE_WARNING, "A reference can mean more than one thing",
		"It is settled by a rule that its reader may not know: the name wins over the tag "
		"kuma.io/service, a name without namespace means all objects of that name, and of "
		"several with the labels a backendRef means the own zone's, else the smallest KRI.",
		"Write \"{}\" so that only one thing fits." },
	[RULE_NO_ENDPOINT] = {
		"ZL022", ANALYZE_WARNING, "A backendRef leads to a service without an endpoint",
		"The service is known, but no instance is Ready and no reachable ingress has one: "
		"the share of this entry fails.",
		"Make an instance of \"{}\" Ready, or take the entry's weight away until one is." },
	[RULE_BACKEND_NO_PORT] = {
		"ZL023", ANALYZE_ERROR, "A backendRef names no port of its object",
		"The object is there, without the port that is asked for, or with several of which "
		"none is named. Its share of the connections is closed.",
		"Write port or sectionName as \"{}\" has it." },
	[RULE_SELECTS_NONE] = {
		"ZL030", ANALYZE_WARNING, "The policy selects no proxy",
		"No Dataplane fits its targetRef and its origin, so it changes nothing.",
		"Correct the targetRef, or label the Dataplanes that are meant." },
	[RULE_NO_OUTBOUND] = {
		"ZL031", ANALYZE_WARNING, "No selected proxy has an outbound to a destination of the policy",
		"A route works on the outbounds that Dataplanes list. Without one to the "
		"destination it changes nothing.",
		"Add an outbound with the tag kuma.io/service: {} to the Dataplanes, or correct "
		"the targetRef of the policy." },
	[RULE_NEVER_WINS] = {
		"ZL032", ANALYZE_WARNING, "The policy never has the last word",
		"On every outbound that it is about, a stronger policy replaces its list as a whole.",
		"Remove it, or make its targetRef more exact than that of \"{}\"." },
	[RULE_TIE] = {
		"ZL033", ANALYZE_WARNING, "Only the names of two policies decide between them",
		"Both are about one outbound with equal precedence, and then the smaller name wins: "
		"renaming one changes the routes.",
		"Give the policy that shall win a more exact targetRef than that of \"{}\", or join "
		"the two." },
	[RULE_TRAFFIC_CARRIES] = {
		"ZL034", ANALYZE_INFO, "A TrafficRoute still carries connections",
		"It is the legacy kind. MeshTCPRoutes with the same endpoints and weights can take "
		"its place while connections stay.",
		"Run zonelinkctl convert on these documents, apply what it writes, then delete "
		"TrafficRoute {}." },
	[RULE_TRAFFIC_SHADOWED] = {
		"ZL035", ANALYZE_INFO, "Another policy has the connections of a TrafficRoute",
		"Where a MeshTCPRoute or MeshHTTPRoute is about an outbound, or a TrafficRoute with "
		"more tags, this one has no say.",
		"Delete it when \"{}\" and the others have all that is wanted." },
	[RULE_HTTP_IDLE] = {
		"ZL036", ANALYZE_WARNING, "A MeshHTTPRoute is about a destination that is not HTTP",
		"Requests are seen only where the protocol of the destination is http, http2 or "
		"grpc. Elsewhere the entry has no effect.",
		"Tag the instances of \"{}\" with kuma.io/protocol: http, or use a MeshTCPRoute." },
	[RULE_CROSS_ZONE_PART] = {
		"ZL037", ANALYZE_WARNING, "crossZone of a policy for some proxies, while traffic leaves through the egress",
		"With routing.zoneEgress the egress of a zone chooses among the other zones, for all "
		"proxies at once, by the policies that are for the whole mesh.",
		"Write crossZone in a policy with targetRef {kind: Mesh}; below {} it orders nothing." },
	[RULE_REMOTE_PLAIN] = {
		"ZL040", ANALYZE_WARNING, "A backend is in other zones only, while mTLS is off",
		"A zone ingress finds the service by the server name of mTLS; without mTLS the "
		"connections to it fail.",
		"Turn on mTLS in the Mesh {} (mtls.enabledBackend), or run an instance in the zone." },
	[RULE_NOT_ADVERTISED] = {
		"ZL041", ANALYZE_WARNING, "A ZoneIngress has no advertised address",
		"Other zones skip it: what its zone offers is known there, but cannot be reached.",
		"Write networking.advertisedAddress and networking.advertisedPort." },
	[RULE_PROTOCOL_MIX] = {
		"ZL042", ANALYZE_WARNING, "An instance takes the protocol away from its service",
		"A service has the protocol that all instances have in common. With one that has "
		"none, or one that fits no other, it is unknown, and treated as tcp.",
		"Write the tag kuma.io/protocol of \"{}\" as the other instances do." },
	[RULE_DISABLED_ZONE] = {
		"ZL043", ANALYZE_WARNING, "A reference needs a zone that is disabled",
		"What a disabled zone offers is withdrawn everywhere, so the connections fail.",
		"Enable the zone \"{}\", or take the reference away." },
	[RULE_OUTBOUND_NOWHERE] = {
		"ZL044", ANALYZE_WARNING, "An outbound of a Dataplane leads nowhere",
		"Nobody offers what it asks for, and no route leads elsewhere: connections to it fail.",
		"Correct the destination \"{}\", or add the Dataplane that offers it." },
	[RULE_NO_MEMBERS] = {
		"ZL045", ANALYZE_WARNING, "A MeshMultiZoneService has no member",
		"It stands for the MeshServices of all zones that have its labels. Without one, "
		"connections to it fail.",
		"Correct the labels, or label the MeshServices that \"{}\" shall stand for." },
	[RULE_NO_ADDRESS] = {
		"ZL046", ANALYZE_WARNING, "A MeshExternalService has no endpoint",
		"Connections to it fail.",
		"Write spec.endpoints of \"{}\"." },
	[RULE_NO_EGRESS] = {
		"ZL047", ANALYZE_WARNING, "Traffic of a mesh leaves through the egress of a zone that has none",
		"With routing.zoneEgress all traffic to other zones and to external services goes "
		"through an egress of the own zone, never around it: without one it fails.",
		"Add a ZoneEgress to each zone with proxies of the mesh, or turn routing.zoneEgress "
		"off." },
	[RULE_NO_INGRESS] = {
		"ZL048", ANALYZE_INFO, "A zone has instances in a mesh, and no ZoneIngress",
		"Other zones do not learn what it offers. That may be meant for a zone that only "
		"calls others.",
		"Add a ZoneIngress with an advertised address to the zone \"{}\" if others shall "
		"reach it." },
	[RULE_LEGACY_LOST] = {
		"ZL049", ANALYZE_WARNING, "A legacy policy does not reach an outbound",
		"Timeout, Retry, HealthCheck, CircuitBreaker and TrafficLog are in effect on the "
		"routes of TrafficRoutes only, and give way to a policy of the kind that replaces "
		"them. What they set is not in effect there.",
		"Run zonelinkctl convert on these documents, apply the {} that it writes, then "
		"delete the legacy policy." },
	[RULE_GATEWAY_UNUSED] = {
		"ZL050", ANALYZE_WARNING, "No Dataplane uses a MeshGateway",
		"Its listeners exist on the BUILTIN Dataplanes whose gateway.tags it selects, each "
		"of which takes one MeshGateway. Here none takes it.",
		"Correct the selectors of \"{}\", or the gateway.tags of the Dataplane." },
	[RULE_LISTENER_UNROUTED] = {
		"ZL051", ANALYZE_WARNING, "A listener of a gateway has no route",
		"A builtin gateway leads nowhere by itself: connections to such a listener are "
		"closed.",
		"Add a MeshTCPRoute with targetRef {kind: MeshGateway, name: ...} and "
		"to {kind: Mesh}, whose tags the listener has." },
	[RULE_LOG_TWICE] = {
		"ZL052", ANALYZE_WARNING, "Two access logs of a proxy write to one file",
		"Each connection that both are about is written twice, and lines of two formats "
		"are mixed.",
		"Write another path than \"{}\", or let one policy say both." },
	[RULE_LOG_NO_BACKEND] = {
		"ZL053", ANALYZE_WARNING, "A TrafficLog has no backend",
		"It names one that its Mesh has not, or none where the Mesh has no default: nothing "
		"is logged.",
		"Add it to logging.backends of the Mesh \"{}\", or write a MeshAccessLog, which "
		"says itself where lines go." },
	[RULE_PERMISSION_PLAIN] = {
		"ZL054", ANALYZE_WARNING, "A permission in a mesh without mTLS",
		"Who a client is, its certificate says. Without mTLS nobody is asked, and everybody "
		"is let in.",
		"Turn on mTLS in the Mesh \"{}\" (mtls.enabledBackend)." },
	[RULE_NOBODY_LET_IN] = {
		"ZL055", ANALYZE_WARNING, "A mesh with mTLS in which nobody is let in",
		"Once mTLS is on, an inbound takes the clients that a MeshTrafficPermission allows, "
		"and no others.",
		"Add a MeshTrafficPermission to the mesh \"{}\", or let everybody in with "
		"mtls.defaultPermission: Allow." },
	[RULE_IDLE] = {
		"ZL056", ANALYZE_WARNING, "Nothing of a policy is in effect",
		"It selects proxies and is about what they connect to, but other policies say "
		"otherwise, or what it sets has no effect on such connections; explain says which.",
		"Look at zonelinkctl explain of one of the proxies, then correct or remove \"{}\"." },
	[RULE_NO_SECRET] = {
		"ZL060", ANALYZE_WARNING, "A Secret is named but absent",
		"What needs it is not built until it comes: the TLS of the gateway's listener, the "
		"endpoints of the external service, the certificates of the mesh.",
		"Apply a Secret \"{}\" of the mesh, or correct the name. Where Secrets are kept "
		"apart from these documents, look at global." },
};
/* clang-format on */

const struct analyze_rule *analyze_rules(size_t *count)
{
	*count = RULE_END;
	return ANALYZE_RULES;
}

static const char *const SEVERITIES[] = { "info", "warning", "error" };

const char *analyze_severity_name(enum analyze_severity severity)
{
	return SEVERITIES[severity];
}

bool analyze_severity_parse(const char *word, enum analyze_severity *severity)
{
	for (int i = ANALYZE_INFO; i <= ANALYZE_ERROR; i++) {
		if (strcmp(word, SEVERITIES[i]) == 0) {
			*severity = (enum analyze_severity)i;
			return true;
		}
	}
	return false;
}

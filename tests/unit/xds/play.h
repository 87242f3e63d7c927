/* A session in a play: configs, requests and responses as short texts.
 *
 *   config     "Ca:1 Ea:9 Ll:1 Xl:a"    type, name, bytes; the types are C(DS), E(DS),
 *                                       S(DS), L(DS), X (ECDS), R(DS)
 *   responses  "C+a E+a L+l-m X+l"      in the order in which they were sent: what they
 *                                       bring (+) and remove (-), each sorted
 */
#pragma once

#include "zone/xds/session.h"

struct play {
	struct xds_counts counts;
	struct xds_session *session;
	uint64_t revision, now;
	char nonces[ENVOY_TYPES][24]; /* of the last response of each type */
	char got[4096];               /* the last flush */
	char versions[4096];          /* "a=hex b=hex ": of its resources */
};

void play_begin(struct play *play);
void play_end(struct play *play);

/* The next revision is wanted. */
void play_config(struct play *play, const char *config);
/* A request with names to subscribe, separated by blanks; NULL: none. */
void play_ask(struct play *play, char type, const char *names);
void play_drop(struct play *play, char type, const char *names);
/* The first request on a reconnected stream: "a=VERSION b=VERSION", the names also
 * subscribed unless wildcard. A VERSION "ok" is that of the bytes "NAME 1". */
void play_return(struct play *play, char type, const char *initial, bool wildcard);
void play_ack(struct play *play, const char *types);
void play_nack(struct play *play, char type, const char *reason);

/* What was sent since the last call. */
const char *play_sent(struct play *play);
/* True if the newest revision was settled by now; asks once. */
bool play_settled(struct play *play);
/* "X l Nacked" and so on for the resource; "none" if it is not listed. */
const char *play_state(struct play *play, char type, const char *name);

#define ONE "Ca:1 Ea:1 Ll:1 Xl:a"

/* Begin with an Envoy that has ONE, all acknowledged. */
void begin_with_one(struct play *play);

#define sends(play, text) assert_string_equal(play_sent(play), text)

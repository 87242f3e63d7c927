/* Who waits for a revision of global to be in force here. */
#include "base/clock.h"
#include "loop/loop.h"
#include "zone/api/inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct waiter {
	struct waiter *next; /* owned */
	struct http_request *req;
	uint64_t rev, deadline_ms;
};

static void finish(struct waiter *waiter, uint64_t rev)
{
	char *body = zl_format("{\"revision\":%" PRIu64 ",\"reached\":%s}", rev,
			       rev >= waiter->rev ? "true" : "false");

	http_json(waiter->req, 200, body);
	free(body);
	free(waiter);
}

/* Answer who has what was waited for, or no time left; all: everybody. */
static void look(struct api *api, bool all)
{
	struct waiter **at = &api->waiters;
	uint64_t rev = uplink_rev(api->setup.uplink);
	uint64_t now = zl_now_ms();
	uint64_t next = UINT64_MAX;

	while (*at != NULL) {
		struct waiter *waiter = *at;
		if (all || rev >= waiter->rev || now >= waiter->deadline_ms ||
		    http_is_gone(waiter->req)) {
			*at = waiter->next;
			finish(waiter, rev);
			continue;
		}
		if (waiter->deadline_ms < next)
			next = waiter->deadline_ms;
		at = &waiter->next;
	}
	if (api->waiters != NULL)
		loop_timer_set(api->timer, next - now);
}

void waits_look(struct api *api)
{
	if (api->waiters != NULL)
		look(api, false);
}

void waits_end(struct api *api)
{
	if (api->waiters != NULL)
		look(api, true);
}

void wait_handle(struct http_request *req, void *arg)
{
	struct api *api = arg;
	const char *revision = http_query(req, "revision");
	const char *timeout = http_query(req, "timeout");
	uint64_t timeout_ms = 10000;

	if (api->setup.uplink == NULL) {
		http_refuse(req, 409, "this zone is alone: it follows no global");
		return;
	}
	if (revision == NULL || *revision == '\0' || strlen(revision) > 18 ||
	    revision[strspn(revision, "0123456789")] != '\0') {
		http_refuse(req, 400, "revision=N is missing or no number");
		return;
	}
	if (timeout != NULL && !rest_duration(timeout, &timeout_ms)) {
		http_refuse(req, 400,
			    "timeout=%s: must be a time like 5s or 500ms, at most 10m",
			    timeout);
		return;
	}
	struct waiter *waiter = zl_alloc(1, sizeof(*waiter));
	*waiter = (struct waiter){ .next = api->waiters,
				   .req = req,
				   .rev = strtoull(revision, NULL, 10),
				   .deadline_ms = zl_now_ms() + timeout_ms };
	http_more_time(req, timeout_ms + 10000);
	api->waiters = waiter;
	look(api, api->draining);
}

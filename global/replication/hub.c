#include "global/replication/hub.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "global/replication/reads.h"
#include "global/replication/zone_ops.h"
#include "loop/loop.h"
#include "store/read.h"
#include "wire/link.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONNECTIONS_MAX = 2048,
	PACE_MS = 20 /* between two commits of one zone: it cannot drown the others' */
};

/* A job of ours that the store has; its address is the job's tag. */
struct ticket {
	struct ticket *next;    /* owned */
	uint64_t id;            /* of the machine's action; 0: nobody waits for it */
	struct zone_book *book; /* what is written is of its zone; or NULL */
	struct store_job *job;  /* owned while it waits for due_ms */
	uint64_t due_ms;
};

struct hub {
	struct hub_setup setup;
	struct reads reads; /* what the machine reads */
	struct sync_global *machine;
	struct link_hub *link;
	struct loop_timer *timer;
	struct ticket *tickets;  /* owned; the store has them */
	struct ticket *refused;  /* owned; the store did not take them */
	struct ticket *waiting;  /* owned; they have their jobs still */
	struct loop_timer *pace; /* of the first of those */
	struct zone_books books;
	uint64_t published, requests, pin;
	uint64_t pinned_rev; /* UINT64_MAX: nothing is pinned */
	bool halted;
};

static void submit(struct hub *hub, struct ticket *ticket, struct store_job *job)
{
	struct zl_err err = { 0 };

	struct ticket **list = &hub->tickets;

	if (store_submit(hub->setup.store, &job, &err) != ZL_OK) {
		zl_log(ZL_WARN, "replication", "store takes no job", "err=%q", err.msg);
		store_job_free(&job);
		list = &hub->refused; /* told after this step, see step */
	}
	ticket->next = *list;
	*list = ticket;
}

static struct ticket *ticket_new(uint64_t id)
{
	struct ticket *ticket = zl_alloc(1, sizeof(*ticket));

	ticket->id = id;
	return ticket;
}

/* As submit, no sooner than PACE_MS after the last job of the ticket's zone. */
static void submit_paced(struct hub *hub, struct ticket *ticket, struct store_job *job)
{
	uint64_t now = zl_now_ms();
	uint64_t due = ticket->book->next_ms;

	ticket->book->next_ms = (due > now ? due : now) + PACE_MS;
	if (due <= now) {
		submit(hub, ticket, job);
		return;
	}
	ticket->job = job;
	ticket->due_ms = due;
	ticket->next = hub->waiting;
	hub->waiting = ticket;
	if (!loop_timer_is_set(hub->pace))
		loop_timer_set(hub->pace, due - now);
}

/* The Zone of a zone that joins is made when there is none. */
static void make_zone(struct hub *hub, const char *zone)
{
	const struct key key = { KIND_ZONE, "", "", "", zone };
	struct zl_buf bytes = { 0 };

	if (set_get(hub->setup.set(hub->setup.owner), &key) != NULL)
		return;
	struct ticket *ticket = ticket_new(0);
	struct store_job *job =
		store_commit_new(ticket, zl_wall_us(), "global", "zone joined");
	char *json =
		zl_format("{\"labels\":{\"" LABEL_DISPLAY_NAME "\":\"%s\",\"" LABEL_ORIGIN
			  "\":\"global\"},\"name\":\"%s\",\"type\":\"Zone\"}",
			  zone, zone);
	key_bytes(&key, &bytes);
	store_commit_put(job, bytes.data, bytes.len, json, strlen(json), STORE_ABSENT, 0);
	zl_buf_free(&bytes);
	free(json);
	submit(hub, ticket, job);
}

static void save_zone(struct hub *hub, const struct sync_global_action *action)
{
	struct ticket *ticket = ticket_new(action->id);
	struct store_job *job = store_local_new(ticket);
	uint8_t bytes[READS_ZONE_BYTES];

	reads_zone_bytes(&action->record, bytes);
	store_local_put(job, READS_ZONE_SPACE, action->zone, bytes, sizeof(bytes));
	submit(hub, ticket, job);
	if (action->id != 0) /* a process joins */
		make_zone(hub, action->zone);
}

static void write_ops(struct hub *hub, const struct sync_global_action *action)
{
	struct ticket *ticket = ticket_new(action->id);
	struct store_job *job = store_commit_new(ticket, zl_wall_us(), action->zone,
						 "inventory of the zone");

	ticket->book = zone_books_get(&hub->books, action->zone);
	(void)zone_ops_job(job, ticket->book, action->ops, action->op_count, action->full,
			   hub->setup.set(hub->setup.owner), hub->setup.vips);
	submit_paced(hub, ticket,
		     job); /* a job without a change is done without a commit */
}

static void new_epoch(struct hub *hub, const struct sync_global_action *action)
{
	struct ticket *ticket = ticket_new(action->id);

	submit(hub, ticket, store_epoch_new(ticket, action->epoch));
}

static void do_log(const struct sync_global_action *action)
{
	zl_log(action->alarm ? ZL_WARN : ZL_INFO, "replication", action->text, "zone=%q",
	       action->zone);
}

static void act(struct hub *hub, const struct sync_global_action *action)
{
	switch (action->kind) {
	case SYNC_DO_REPLY:
		link_hub_reply(hub->link, action->id, action->bytes, action->len);
		break;
	case SYNC_DO_PUBLISH:
		hub->published++;
		link_hub_publish(hub->link, action->bytes, action->len);
		break;
	case SYNC_DO_SAVE_ZONE:
		save_zone(hub, action);
		break;
	case SYNC_DO_WRITE:
		write_ops(hub, action);
		break;
	case SYNC_DO_NEW_EPOCH:
		new_epoch(hub, action);
		break;
	case SYNC_DO_ZONE:
		hub->setup.zone_changed(hub->setup.owner, action->zone);
		break;
	case SYNC_DO_LOG:
		do_log(action);
		break;
	}
}

/* What a snapshot under way still needs of the log must not be trimmed. */
static void follow_pin(struct hub *hub)
{
	uint64_t rev = sync_global_pin(hub->machine);

	if (rev == hub->pinned_rev)
		return;
	if (hub->pinned_rev != UINT64_MAX)
		store_unpin(hub->setup.store, hub->pin);
	hub->pinned_rev = rev;
	if (rev != UINT64_MAX)
		hub->pin = store_pin(hub->setup.store, rev);
}

static void step_once(struct hub *hub, struct sync_global_event event)
{
	event.now = zl_now_ms();
	zl_random(&event.dice, sizeof(event.dice));
	struct sync_global_todo todo = sync_global_step(hub->machine, &event);

	for (size_t i = 0; i < todo.count; i++)
		act(hub, &todo.actions[i]);
	follow_pin(hub);
	uint64_t now = zl_now_ms();
	loop_timer_set(hub->timer, todo.wake_at > now ? todo.wake_at - now : 0);
}

/* Actions are valid until the next step, so what carrying them out gives rise to is told
 * to the machine when all of them are done. */
static void step(struct hub *hub, struct sync_global_event event)
{
	if (hub->halted)
		return;
	step_once(hub, event);
	while (hub->refused != NULL) {
		struct ticket *ticket = hub->refused;
		hub->refused = ticket->next;
		event = (struct sync_global_event){ .kind = SYNC_GEV_DONE,
						    .id = ticket->id };
		if (ticket->book != NULL)
			ticket->book->counted = false;
		if (ticket->id != 0)
			step_once(hub, event);
		free(ticket);
	}
}

static void on_pace(void *arg)
{
	struct hub *hub = arg;
	struct ticket **at = &hub->waiting;
	uint64_t now = zl_now_ms();
	uint64_t next = UINT64_MAX;

	if (hub->halted)
		return;
	while (*at != NULL) {
		struct ticket *ticket = *at;
		struct store_job *job = ticket->job;
		if (ticket->due_ms > now) {
			next = ticket->due_ms < next ? ticket->due_ms : next;
			at = &ticket->next;
			continue;
		}
		*at = ticket->next;
		ticket->job = NULL;
		submit(hub, ticket, job);
	}
	if (hub->waiting != NULL)
		loop_timer_set(hub->pace, next - now);
	/* Jobs that the store did not take are told with it. */
	step(hub, (struct sync_global_event){ .kind = SYNC_GEV_TICK });
}

static void on_timer(void *arg)
{
	step(arg, (struct sync_global_event){ .kind = SYNC_GEV_TICK });
}

static void on_request(void *arg, uint64_t handle, const char *identity,
		       const void *bytes, size_t len)
{
	struct hub *hub = arg;

	hub->requests++;
	step(hub, (struct sync_global_event){ .kind = SYNC_GEV_REQUEST,
					      .id = handle,
					      .identity = identity,
					      .bytes = bytes,
					      .len = len });
}

static bool on_admit(void *arg, const char *zone, const char *serial)
{
	const struct hub *hub = arg;

	return hub->setup.admit(hub->setup.owner, zone, serial);
}

static struct ticket *ticket_take(struct hub *hub, const void *tag)
{
	struct ticket **at = &hub->tickets;

	while (*at != NULL && *at != tag)
		at = &(*at)->next;
	struct ticket *found = *at;
	if (found != NULL)
		*at = found->next;
	return found;
}

/* Whoever deletes the Zone of a quarantined name lets others have the name. */
static void release_deleted(struct hub *hub)
{
	const struct set *set = hub->setup.set(hub->setup.owner);

	for (size_t i = 0; i < hub_zone_count(hub); i++) {
		struct sync_session_view zone = hub_zone_at(hub, i);
		const struct key key = { KIND_ZONE, "", "", "", zone.zone };
		if (zone.state == SYNC_QUARANTINED && set_get(set, &key) == NULL)
			step(hub, (struct sync_global_event){ .kind = SYNC_GEV_RELEASE,
							      .zone = zone.zone });
	}
}

bool hub_result(struct hub *hub, const struct store_result *result, bool waited)
{
	struct sync_global_event event = { .state = { result->position, result->digest },
					   .waited = waited };

	if (result->code == ZL_OK && result->entry != NULL) {
		event.kind = SYNC_GEV_COMMITTED;
		event.entry = (struct sync_entry){ .rev = result->position.rev,
						   .bytes = result->entry,
						   .len = result->entry_len };
		memcpy(event.entry.chain, result->position.chain, POSITION_CHAIN);
		step(hub, event);
		release_deleted(hub);
	}
	struct ticket *ticket = ticket_take(hub, result->tag);
	if (ticket == NULL)
		return false;
	if (result->code != ZL_OK)
		zl_log(ZL_WARN, "replication", "store refused a job", "err=%q",
		       result->err.msg);
	if (ticket->book != NULL && result->code != ZL_OK)
		ticket->book->counted = false;
	if (ticket->id != 0) {
		event = (struct sync_global_event){ .kind = SYNC_GEV_DONE,
						    .id = ticket->id,
						    .ok = result->code == ZL_OK,
						    .state = event.state };
		step(hub, event);
	}
	free(ticket);
	return true;
}

static enum zl_code start_machine(struct hub *hub, struct zl_err *err)
{
	struct sync_global_setup setup = { .lease_ms = hub->setup.lease_ms,
					   .ops = &READS_OPS,
					   .io = &hub->reads };
	struct sync_global_event event = { .kind = SYNC_GEV_START };
	struct store_view *view;

	enum zl_code code = store_view_open(hub->setup.store, &view, err);
	if (code != ZL_OK)
		return code;
	store_position(view, &event.state.position, &event.state.digest);
	store_view_close(&view);
	zl_random(&setup.instance, sizeof(setup.instance));
	hub->machine = sync_global_new(&setup);
	step(hub, event);
	return ZL_OK;
}

enum zl_code hub_open(struct hub **out, const struct hub_setup *setup, struct zl_err *err)
{
	struct hub *hub = zl_alloc(1, sizeof(*hub));
	char *folder = zl_format("%s/link", setup->data_dir);
	const struct link_hub_setup link = { .folder = folder,
					     .message_max = SYNC_MESSAGE_MAX,
					     .connections_max = CONNECTIONS_MAX,
					     .tls = setup->tls,
					     .allow_plain = setup->tls == NULL,
					     .admit = setup->admit != NULL ? on_admit
									   : NULL };
	const struct link_hub_handlers handlers = { .request = on_request, .arg = hub };

	*out = NULL;
	hub->setup = *setup;
	hub->reads = (struct reads){ .store = setup->store,
				     .secrets = setup->secrets,
				     .set = setup->set,
				     .owner = setup->owner };
	hub->pinned_rev = UINT64_MAX;
	hub->timer = loop_timer_new(setup->loop, on_timer, hub);
	hub->pace = loop_timer_new(setup->loop, on_pace, hub);
	enum zl_code code = link_hub_open(&hub->link, setup->loop, &link, &handlers, err);
	if (code == ZL_OK)
		code = start_machine(hub, err);
	for (size_t i = 0; code == ZL_OK && i < setup->listen_count; i++)
		code = link_hub_listen(hub->link, &setup->listen[i], err);
	free(folder);
	if (code != ZL_OK)
		hub_close(&hub);
	*out = hub;
	return code;
}

void hub_halt(struct hub *hub)
{
	hub->halted = true;
}

void hub_close(struct hub **hubp)
{
	struct hub *hub = *hubp;

	*hubp = NULL;
	if (hub == NULL)
		return;
	assert(hub->tickets == NULL);
	while (hub->waiting != NULL) {
		struct ticket *ticket = hub->waiting;
		hub->waiting = ticket->next;
		store_job_free(&ticket->job);
		free(ticket);
	}
	zone_books_free(&hub->books);
	loop_timer_free(&hub->pace);
	link_hub_close(&hub->link);
	loop_timer_free(&hub->timer);
	sync_global_free(&hub->machine);
	free(hub);
}

size_t hub_zone_count(const struct hub *hub)
{
	return sync_global_zone_count(hub->machine);
}

struct sync_session_view hub_zone_at(const struct hub *hub, size_t index)
{
	return sync_global_zone_at(hub->machine, index);
}

bool hub_zone(const struct hub *hub, const char *zone, struct sync_session_view *out)
{
	return sync_global_zone(hub->machine, zone, out);
}

void hub_accept(struct hub *hub, const char *zone)
{
	step(hub, (struct sync_global_event){ .kind = SYNC_GEV_ACCEPT, .zone = zone });
}

void hub_release(struct hub *hub, const char *zone)
{
	step(hub, (struct sync_global_event){ .kind = SYNC_GEV_RELEASE, .zone = zone });
}

const struct zone_book *hub_book(const struct hub *hub, const char *zone)
{
	return zone_books_find(&hub->books, zone);
}

struct hub_counts hub_counts(const struct hub *hub)
{
	return (struct hub_counts){ link_hub_connections(hub->link), hub->published,
				    hub->requests, link_hub_refused(hub->link) };
}

const char *hub_refusal(const struct hub *hub, size_t index, uint64_t *count)
{
	return link_hub_refusal(hub->link, index, count);
}

void hub_set_tls(struct hub *hub, struct pki_tls *tls)
{
	link_hub_set_tls(hub->link, tls);
}

void hub_cut(struct hub *hub, const char *zone)
{
	struct ticket **at = &hub->waiting;

	while (*at != NULL) {
		struct ticket *ticket = *at;
		if (strcmp(ticket->book->zone, zone) != 0) {
			at = &ticket->next;
			continue;
		}
		*at = ticket->next;
		store_job_free(&ticket->job);
		ticket->next = hub->refused; /* told by the next step */
		hub->refused = ticket;
	}
	link_hub_cut(hub->link, zone);
}

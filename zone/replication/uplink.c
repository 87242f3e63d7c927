#include "zone/replication/uplink.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "mirror/mirror.h"
#include "model/entry.h"
#include "wire/link.h"
#include "zone/replication/held.h"
#include "zone/replication/replica.h"
#include "zone/replication/staging.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct uplink {
	struct uplink_setup setup;
	struct sync_zone *machine;
	struct link_uplink *link;
	struct loop_timer *timer;
	struct set *set; /* held; what global said */
	uint64_t rev;    /* of set */
	struct staging staging;
	enum sync_zone_state told; /* to the log */
	enum sync_zone_state seen; /* by the owner */
	uint64_t refused[16];      /* tickets that the store did not take */
	size_t refused_count;
	uint64_t goodbye; /* request that global has not answered; 0: none */
	/* The answer about a Secret in this step; in arena, NULL: there was none. */
	struct zl_arena *given_arena;
	const struct sync_zone_action *given;
	uint64_t odd; /* records of the store that are not in the set */
	bool changed, stopping, halted;
};

static void *tag_of(uint64_t ticket)
{
	uint64_t *tag = zl_alloc(1, sizeof(*tag));

	*tag = ticket;
	return tag;
}

/* tag becomes the store's until its result. */
static void submit(struct uplink *uplink, struct store_job *job, uint64_t *tag)
{
	struct zl_err err = { 0 };

	if (store_submit(uplink->setup.store, &job, &err) == ZL_OK)
		return;
	zl_log(ZL_WARN, "replication", "store takes no job", "err=%q", err.msg);
	store_job_free(&job);
	if (uplink->refused_count < sizeof(uplink->refused) / sizeof(uint64_t))
		uplink->refused[uplink->refused_count++] = *tag;
	free(tag);
}

static void show(struct uplink *uplink, struct set *set, uint64_t rev)
{
	set_drop(&uplink->set);
	uplink->set = set;
	uplink->rev = rev;
	uplink->changed = true;
}

static void show_entry(struct uplink *uplink, const struct sync_entry *entry)
{
	struct zl_arena *arena = zl_arena_new();
	struct entry ops;
	struct zl_err err = { 0 };

	if (entry_unpack(entry->bytes, entry->len, arena, &ops, &err) == ZL_OK) {
		struct set_edit *edit = set_edit(uplink->set);
		apply_entry(edit, uplink->set, &ops, entry->rev, replica_on_odd, NULL);
		show(uplink, set_done(&edit), entry->rev);
	} else {
		zl_log(ZL_ERROR, "replication", "an entry from global is damaged",
		       "rev=%llu err=%q", (unsigned long long)entry->rev, err.msg);
		uplink->rev = entry->rev;
	}
	zl_arena_free(&arena);
}

/* To the set at once, to the store when it can. */
static void do_apply(struct uplink *uplink, const struct sync_zone_action *action)
{
	uint64_t *tag = tag_of(action->id);
	struct store_job *job = store_follow_new(tag);

	for (size_t i = 0; i < action->entry_count; i++) {
		const struct sync_entry *entry = &action->entries[i];
		store_follow_entry(job, entry->rev, entry->chain, entry->bytes,
				   entry->len);
		if (entry->rev > uplink->rev)
			show_entry(uplink, entry);
	}
	submit(uplink, job, tag);
}

static void do_stage(struct uplink *uplink, const struct sync_zone_action *action)
{
	uint64_t *tag = tag_of(action->id);
	struct store_job *job = store_stage_new(tag, action->first);

	if (action->first)
		staging_begin(&uplink->staging, uplink->set);
	for (size_t i = 0; i < action->record_count; i++) {
		const struct sync_record *r = &action->records[i];
		store_record_put(job, r->key, r->key_len, r->mod_rev, r->value,
				 r->value_len);
		staging_put(&uplink->staging, r->key, r->key_len, r->mod_rev, r->value,
			    r->value_len);
	}
	submit(uplink, job, tag);
}

static void stage_entry(struct uplink *uplink, struct store_job *job,
			const struct sync_entry *entry)
{
	struct zl_arena *arena = zl_arena_new();
	struct entry ops;

	if (entry_unpack(entry->bytes, entry->len, arena, &ops, NULL) == ZL_OK) {
		for (size_t i = 0; i < ops.op_count; i++) {
			const struct op *op = &ops.ops[i];
			if (op->deleted) {
				store_record_delete(job, op->key, op->key_len,
						    entry->rev);
				staging_delete(&uplink->staging, op->key, op->key_len,
					       entry->rev);
			} else {
				store_record_put(job, op->key, op->key_len, entry->rev,
						 op->value, op->value_len);
				staging_put(&uplink->staging, op->key, op->key_len,
					    entry->rev, op->value, op->value_len);
			}
		}
	}
	zl_arena_free(&arena);
}

static void do_stage_log(struct uplink *uplink, const struct sync_zone_action *action)
{
	uint64_t *tag = tag_of(action->id);
	struct store_job *job = store_stage_new(tag, false);

	for (size_t i = 0; i < action->entry_count; i++)
		stage_entry(uplink, job, &action->entries[i]);
	submit(uplink, job, tag);
}

static void do_swap(struct uplink *uplink, const struct sync_zone_action *action)
{
	uint64_t *tag = tag_of(action->id);

	zl_log(ZL_INFO, "replication", "a copy of global replaces the replica",
	       "rev=%llu", (unsigned long long)action->position.rev);
	show(uplink, staging_set(&uplink->staging), action->position.rev);
	submit(uplink, store_swap_new(tag, &action->position, &uplink->staging.digest),
	       tag);
	staging_clear(&uplink->staging);
}

static void do_repair(struct uplink *uplink, const struct sync_zone_action *action)
{
	uint64_t *tag = tag_of(action->id);
	struct store_job *job = store_repair_new(tag, &action->position);
	struct set_edit *edit = set_edit(uplink->set);
	struct zl_arena *arena = zl_arena_new();

	for (size_t i = 0; i < action->record_count; i++) {
		const struct sync_record *r = &action->records[i];
		struct key key;
		if (key_parse(r->key, r->key_len, arena, &key, NULL) == ZL_OK)
			(void)set_del(edit, &key);
		if (r->deleted) {
			store_record_delete(job, r->key, r->key_len, r->mod_rev);
			continue;
		}
		const struct apply_record record = { .key = r->key,
						     .key_len = r->key_len,
						     .value = r->value,
						     .value_len = r->value_len,
						     .mod_rev = r->mod_rev,
						     .create_rev = r->mod_rev };
		apply_record(edit, &record, replica_on_odd, NULL);
		store_record_put(job, r->key, r->key_len, r->mod_rev, r->value,
				 r->value_len);
	}
	zl_arena_free(&arena);
	zl_log(ZL_WARN, "replication", "records repaired from global", "count=%zu",
	       action->record_count);
	show(uplink, set_done(&edit), uplink->rev);
	submit(uplink, job, tag);
}

static void do_tell(struct uplink *uplink, const struct sync_zone_action *action)
{
	struct sync_zone_view view = sync_zone_view(uplink->machine);

	if (action->text != NULL)
		zl_log(action->alarm ? ZL_WARN : ZL_INFO, "replication", action->text,
		       "state=%s", sync_zone_state_name(view.state));
	if (view.state == uplink->told)
		return;
	uplink->told = view.state;
	zl_log(ZL_INFO, "replication", "link to global", "state=%s rev=%llu",
	       sync_zone_state_name(view.state), (unsigned long long)uplink->rev);
}

/* The owner gets it when the step is done, for it may ask for more. */
static void do_secret(struct uplink *uplink, const struct sync_zone_action *action)
{
	struct zl_arena *arena = uplink->given_arena = zl_arena_new();
	struct sync_zone_action *given = zl_arena_memdup(arena, action, sizeof(*action));

	given->secret =
		(struct sync_secret){ zl_arena_strdup(arena, action->secret.mesh),
				      zl_arena_strdup(arena, action->secret.name),
				      zl_arena_strdup(arena, action->secret.version) };
	given->bytes = action->bytes != NULL
			       ? zl_arena_memdup(arena, action->bytes, action->len)
			       : NULL;
	given->text = action->text != NULL ? zl_arena_strdup(arena, action->text) : NULL;
	uplink->given = given;
}

static void give_secret(struct uplink *uplink)
{
	struct zl_arena *arena = uplink->given_arena;
	const struct sync_zone_action *given = uplink->given;

	uplink->given_arena = NULL;
	uplink->given = NULL;
	if (given != NULL)
		uplink->setup.secret(uplink->setup.owner, &given->secret, given->bytes,
				     given->len, given->text);
	zl_arena_free(&arena);
}

static void act(struct uplink *uplink, const struct sync_zone_action *action)
{
	const struct sync_state held = { action->position, action->digest };

	switch (action->kind) {
	case SYNC_DO_SEND:
		if (uplink->stopping)
			uplink->goodbye = action->id;
		link_uplink_request(uplink->link, action->id, action->bytes, action->len,
				    action->deadline_ms);
		break;
	case SYNC_DO_APPLY:
		do_apply(uplink, action);
		break;
	case SYNC_DO_STAGE:
		do_stage(uplink, action);
		break;
	case SYNC_DO_STAGE_LOG:
		do_stage_log(uplink, action);
		break;
	case SYNC_DO_SWAP:
		do_swap(uplink, action);
		break;
	case SYNC_DO_HOLD:
	case SYNC_DO_UNHOLD:
		held_note(uplink->setup.store,
			  action->kind == SYNC_DO_HOLD ? &held : NULL);
		break;
	case SYNC_DO_REPAIR:
		do_repair(uplink, action);
		break;
	case SYNC_DO_REDIAL:
		link_uplink_redial(uplink->link);
		break;
	case SYNC_DO_SECRET:
		do_secret(uplink, action);
		break;
	case SYNC_DO_TELL:
		do_tell(uplink, action);
		break;
	}
}

static void step_once(struct uplink *uplink, struct sync_zone_event event)
{
	event.now = zl_now_ms();
	zl_random(&event.dice, sizeof(event.dice));
	struct sync_zone_todo todo = sync_zone_step(uplink->machine, &event);

	for (size_t i = 0; i < todo.count; i++)
		act(uplink, &todo.actions[i]);
	uint64_t now = zl_now_ms();
	loop_timer_set(uplink->timer, todo.wake_at > now ? todo.wake_at - now : 0);
}

/* Actions are valid until the next step, so what carrying them out gives rise to is told
 * to the machine, and the new set to the owner, when all of them are done. */
static void step(struct uplink *uplink, struct sync_zone_event event)
{
	if (uplink->halted)
		return;
	step_once(uplink, event);
	while (uplink->refused_count > 0) {
		uint64_t first = uplink->refused[0];
		uplink->refused_count = 0; /* the first one voids those after it */
		step_once(uplink, (struct sync_zone_event){ .kind = SYNC_EV_FAILED,
							    .id = first });
	}
	give_secret(uplink);
	if (uplink->changed) {
		uplink->changed = false;
		uplink->setup.changed(uplink->setup.owner);
	}
	/* After the set that the zone is live with: proxies get that, and not first the
	 * one before it. */
	if (uplink->seen != uplink->told) {
		uplink->seen = uplink->told;
		uplink->setup.moved(uplink->setup.owner, uplink->told);
	}
}

static void on_timer(void *arg)
{
	step(arg, (struct sync_zone_event){ .kind = SYNC_EV_TICK });
}

static void on_published(void *arg, const void *bytes, size_t len)
{
	step(arg,
	     (struct sync_zone_event){ .kind = SYNC_EV_PUB, .bytes = bytes, .len = len });
}

static void on_replied(void *arg, uint64_t id, const void *bytes, size_t len)
{
	struct uplink *uplink = arg;

	if (id == uplink->goodbye)
		uplink->goodbye = 0;
	step(arg, (struct sync_zone_event){
			  .kind = SYNC_EV_REPLY, .id = id, .bytes = bytes, .len = len });
}

static void on_lost(void *arg, uint64_t id)
{
	struct uplink *uplink = arg;

	if (id == uplink->goodbye)
		uplink->goodbye = 0;
	step(arg, (struct sync_zone_event){ .kind = SYNC_EV_LOST, .id = id });
}

static void on_pipe(void *arg, bool up)
{
	const struct uplink *uplink = arg;

	if (!uplink->halted)
		uplink->setup.connected(uplink->setup.owner, up);
	step(arg, (struct sync_zone_event){ .kind = SYNC_EV_PIPE, .up = up });
}

/* While the store follows the set nothing can be told. */
static void count_odd(struct uplink *uplink)
{
	struct store_status status;
	uint64_t known = 0;

	if (sync_zone_view(uplink->machine).durable.position.rev != uplink->rev)
		return;
	store_status(uplink->setup.store, &status);
	for (int kind = KIND_NONE + 1; kind < KIND_END; kind++)
		known += set_count(uplink->set, (enum kind)kind);
	uplink->odd = status.records > known ? status.records - known : 0;
}

void uplink_result(struct uplink *uplink, const struct store_result *result)
{
	uint64_t *tag = result->tag;
	struct sync_zone_event event = { .kind = SYNC_EV_COMMITTED,
					 .state = { result->position, result->digest } };

	if (tag == NULL)
		return;
	event.id = *tag;
	free(tag);
	if (result->code != ZL_OK) {
		zl_log(ZL_ERROR, "replication", "the replica's store refused", "err=%q",
		       result->err.msg);
		event.kind = SYNC_EV_FAILED;
		event.damaged = result->code == ZL_ECORRUPT;
	} else if (result->kind == STORE_STAGE) {
		event.kind = SYNC_EV_STAGED;
		event.state.digest = uplink->staging.digest;
		event.loss = staging_loss(&uplink->staging);
	}
	step(uplink, event);
	count_odd(uplink);
}

static void start_machine(struct uplink *uplink, const struct sync_state *state)
{
	struct sync_state held;
	bool is_held =
		held_load(uplink->setup.store, uplink->set, &uplink->staging, &held);
	char host[HOST_NAME_MAX + 1] = "";
	struct sync_zone_setup setup = { .zone = uplink->setup.zone,
					 .build = ZL_VERSION,
					 .host = host,
					 .incarnation = uplink->setup.incarnation,
					 .ops = &REPLICA_OPS,
					 .io = uplink->setup.store };

	(void)gethostname(host, sizeof(host) - 1);
	memcpy(setup.uuid, uplink->setup.uuid, SYNC_UUID);
	do
		zl_random(&setup.session, sizeof(setup.session));
	while (setup.session == 0);
	uplink->machine = sync_zone_new(&setup);
	step(uplink, (struct sync_zone_event){ .kind = SYNC_EV_START,
					       .state = *state,
					       .held = is_held ? &held : NULL,
					       .loss = staging_loss(&uplink->staging) });
}

enum zl_code uplink_open(struct uplink **out, const struct uplink_setup *setup,
			 struct zl_err *err)
{
	struct uplink *uplink = zl_alloc(1, sizeof(*uplink));
	const struct link_uplink_handlers handlers = { .published = on_published,
						       .replied = on_replied,
						       .lost = on_lost,
						       .pipe = on_pipe,
						       .arg = uplink };
	char *folder = zl_format("%s/link", setup->data_dir);
	const struct link_uplink_setup link = { .folder = folder,
						.addrs = setup->global,
						.count = setup->global_count,
						.message_max = SYNC_MESSAGE_MAX,
						.tls = setup->tls,
						.waits = true };
	struct sync_state state = { 0 };

	*out = NULL;
	uplink->setup = *setup;
	uplink->timer = loop_timer_new(setup->loop, on_timer, uplink);
	enum zl_code code = mirror_load(setup->store, replica_on_odd, &uplink->set,
					&state.position, &state.digest, err);
	uplink->rev = state.position.rev;
	if (code == ZL_OK)
		code = link_uplink_open(&uplink->link, setup->loop, &link, &handlers,
					err);
	free(folder);
	if (code != ZL_OK) {
		uplink_close(&uplink);
		return code;
	}
	*out = uplink;
	start_machine(uplink, &state);
	count_odd(uplink);
	return ZL_OK;
}

void uplink_stop(struct uplink *uplink)
{
	uplink->stopping = true;
	step(uplink, (struct sync_zone_event){ .kind = SYNC_EV_STOP });
}

bool uplink_is_stopped(const struct uplink *uplink)
{
	return uplink->stopping && uplink->goodbye == 0;
}

void uplink_halt(struct uplink *uplink)
{
	uplink->halted = true;
}

void uplink_close(struct uplink **uplinkp)
{
	struct uplink *uplink = *uplinkp;

	*uplinkp = NULL;
	if (uplink == NULL)
		return;
	link_uplink_close(&uplink->link);
	loop_timer_free(&uplink->timer);
	sync_zone_free(&uplink->machine);
	staging_clear(&uplink->staging);
	set_drop(&uplink->set);
	free(uplink);
}

const struct set *uplink_set(const struct uplink *uplink)
{
	return uplink->set;
}

uint64_t uplink_rev(const struct uplink *uplink)
{
	return uplink->rev;
}

void uplink_offer(struct uplink *uplink, const struct op *ops, size_t count, bool full)
{
	step(uplink, (struct sync_zone_event){ .kind = SYNC_EV_INVENTORY,
					       .ops = ops,
					       .op_count = count,
					       .full = full });
}

void uplink_want(struct uplink *uplink, const struct sync_secret *secrets, size_t count)
{
	step(uplink, (struct sync_zone_event){ .kind = SYNC_EV_WANT,
					       .secrets = secrets,
					       .secret_count = count });
}

void uplink_report(struct uplink *uplink, const struct sync_report *report)
{
	step(uplink,
	     (struct sync_zone_event){ .kind = SYNC_EV_REPORT, .report = report });
}

void uplink_accept(struct uplink *uplink)
{
	step(uplink, (struct sync_zone_event){ .kind = SYNC_EV_ACCEPT });
}

struct sync_zone_view uplink_view(const struct uplink *uplink)
{
	return sync_zone_view(uplink->machine);
}

uint64_t uplink_odd(const struct uplink *uplink)
{
	return uplink->odd;
}

void uplink_set_tls(struct uplink *uplink, struct pki_tls *tls)
{
	link_uplink_set_tls(uplink->link, tls);
}

const char *uplink_trouble(const struct uplink *uplink)
{
	return link_uplink_trouble(uplink->link);
}

bool uplink_store_failed(const struct uplink *uplink)
{
	struct store_status status;

	store_status(uplink->setup.store, &status);
	return status.failed;
}

/* Contents of Secrets, one after the other, as long as the owner wants them. */
#include "sync/zone_parts.h"

#include <string.h>

enum { AGAIN_MS = 2000 };

void zone_want(struct sync_zone *zone, const struct sync_secret *secrets, size_t count)
{
	struct wants *wants = &zone->wants;

	zl_arena_reset(wants->arena);
	wants->list = zl_arena_alloc(wants->arena, count, sizeof(*wants->list));
	wants->count = count;
	for (size_t i = 0; i < count; i++)
		wants->list[i] = (struct sync_secret){
			zl_arena_strdup(wants->arena, secrets[i].mesh),
			zl_arena_strdup(wants->arena, secrets[i].name),
			zl_arena_strdup(wants->arena, secrets[i].version)
		};
	zone->asked[SECRET].id = 0; /* what was asked may be wanted no more */
	zone->retry_at[SECRET] = 0;
}

void zone_secret_ask(struct sync_zone *zone)
{
	Sync__Secret ask = SYNC__SECRET__INIT;

	if (zone->wants.count == 0)
		return;
	const struct sync_secret *first = &zone->wants.list[0];
	ask.head = zone_head(zone);
	ask.mesh = zl_arena_strdup(zone->turn, first->mesh);
	ask.name = zl_arena_strdup(zone->turn, first->name);
	ask.version = zl_arena_strdup(zone->turn, first->version);
	zone_ask(zone, SECRET, SYNC_MSG_SECRET, &ask);
}

/* The first one goes, or to the end of the line. */
static struct sync_secret next_in_line(struct wants *wants, bool again)
{
	struct sync_secret first = wants->list[0];

	memmove(wants->list, wants->list + 1, (wants->count - 1) * sizeof(first));
	if (again)
		wants->list[wants->count - 1] = first;
	else
		wants->count--;
	return first;
}

void zone_on_secret(struct sync_zone *zone, const void *body)
{
	const Sync__SecretReply *reply = body;
	struct sync_zone_action *act = zone_act(zone, SYNC_DO_SECRET);

	act->secret = next_in_line(&zone->wants, !reply->found);
	if (reply->found) {
		act->bytes = reply->content.data != NULL ? reply->content.data
							 : (const void *)"";
		act->len = reply->content.len;
	} else {
		act->text = reply->reason;
		zone->retry_at[SECRET] = zone->now + AGAIN_MS + zone_roll(zone, AGAIN_MS);
	}
}

#include "world.h"

#include <stdlib.h>
#include <string.h>

enum { PUB_QUEUE = 8, OVERTAKEN_MS = 40 };

static void drop(struct net *net, size_t index)
{
	free(net->packets[index].bytes);
	net->packets[index] = net->packets[--net->count];
}

static void put(struct world *world, struct packet packet, const void *bytes, size_t len)
{
	struct net *net = &world->net;

	if (net->count == PACKETS_MAX)
		return;
	packet.bytes = len > 0 ? zl_memdup(bytes, len) : NULL;
	packet.len = len;
	if (packet.at < net->next)
		net->next = packet.at;
	net->packets[net->count++] = packet;
}

/* A slow subscriber: what it has not read yet is pushed out by what is newer. */
static void overflow(struct net *net, size_t zone)
{
	size_t waiting = 0, oldest = 0;
	uint64_t at = UINT64_MAX;

	for (size_t i = 0; i < net->count; i++) {
		const struct packet *packet = &net->packets[i];
		if (packet->kind != PACKET_PUB || packet->zone != zone)
			continue;
		waiting++;
		if (packet->at < at) {
			at = packet->at;
			oldest = i;
		}
	}
	if (waiting >= PUB_QUEUE)
		drop(net, oldest);
}

void net_send(struct world *world, enum packet_kind kind, size_t zone, uint64_t life,
	      uint64_t id, const void *bytes, size_t len)
{
	struct net *net = &world->net;
	struct packet packet = { .kind = kind, .zone = zone, .life = life, .id = id };
	int copies = !world->well && dice_chance(&world->dice, net->twice) ? 2 : 1;
	enum net_gap gap = GAP_NONE;

	if (kind == PACKET_PUB && zone == 0 && net->gap_in > 0 && --net->gap_in == 0)
		gap = net->gap;
	if (gap == GAP_LOST || gap == GAP_TWICE)
		copies = gap == GAP_LOST ? 0 : 2;

	for (; copies > 0; copies--) {
		packet.at = world->now + 1 + net->lag[zone];
		if (gap == GAP_OVERTAKEN)
			packet.at += OVERTAKEN_MS;
		if (net->jitter[zone] > 0)
			packet.at += dice_below(&world->dice, net->jitter[zone]);
		if (!world->well) {
			if (dice_chance(&world->dice, net->drop) ||
			    world->now < net->cut[zone] ||
			    (kind == PACKET_PUB && world->now < net->pub_dead[zone]))
				continue;
			packet.at += dice_below(&world->dice, 5);
			if (dice_chance(&world->dice, net->late))
				packet.at += dice_below(&world->dice, net->slow);
			if (kind == PACKET_PUB)
				overflow(net, zone);
		}
		put(world, packet, bytes, len);
	}
}

void net_timer(struct world *world, size_t zone, uint64_t life, uint64_t id, uint64_t at)
{
	put(world,
	    (struct packet){
		    .at = at, .kind = PACKET_LOST, .zone = zone, .life = life, .id = id },
	    NULL, 0);
}

/* Without faults packets that are due at one moment keep their order. */
bool net_take(struct world *world, struct packet *out)
{
	struct net *net = &world->net;

	if (net->next > world->now)
		return false;
	net->next = UINT64_MAX;
	for (size_t i = 0; i < net->count; i++) {
		if (net->packets[i].at > world->now) {
			if (net->packets[i].at < net->next)
				net->next = net->packets[i].at;
			continue;
		}
		net->next = world->now;
		*out = net->packets[i];
		net->count--;
		memmove(&net->packets[i], &net->packets[i + 1],
			(net->count - i) * sizeof(*net->packets));
		return true;
	}
	return false;
}

uint64_t net_next(const struct world *world)
{
	return world->net.count > 0 ? world->net.next : UINT64_MAX;
}

void net_fini(struct world *world)
{
	while (world->net.count > 0)
		drop(&world->net, 0);
}

struct job *disk_add(struct world *world, struct disk *disk, int kind, uint64_t ticket)
{
	uint64_t at = world->now + dice_below(&world->dice, world->well ? 2 : 30);

	if (disk->count == JOBS_MAX) {
		world_wrong(world, "the simulated disk has too many jobs");
		return NULL;
	}
	if (disk->count > 0 && disk->jobs[disk->count - 1].at > at)
		at = disk->jobs[disk->count - 1].at;
	struct job *job = &disk->jobs[disk->count++];
	*job = (struct job){ .kind = kind, .at = at, .ticket = ticket };
	return job;
}

bool disk_take(struct disk *disk, uint64_t now, struct job *out)
{
	if (disk->count == 0 || disk->jobs[0].at > now)
		return false;
	*out = disk->jobs[0];
	disk->count--;
	for (size_t i = 0; i < disk->count; i++)
		disk->jobs[i] = disk->jobs[i + 1];
	return true;
}

void job_fini(struct job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		if (job->entries != NULL)
			free(job->entries[i].bytes);
		if (job->records != NULL)
			free(job->records[i].value);
	}
	free(job->entries);
	free(job->records);
}

void disk_clear(struct disk *disk)
{
	for (size_t i = 0; i < disk->count; i++)
		job_fini(&disk->jobs[i]);
	disk->count = 0;
}

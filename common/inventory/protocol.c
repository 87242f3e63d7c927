#include "inventory/inventory.h"

#include <string.h>
#include <strings.h>

/* What can be spoken instead, from the most to the least exact (spec 4.1). */
static const struct stack {
	const char *name;
	const char *speaks[4]; /* ends with NULL */
} STACKS[] = {
	{ "grpc", { "grpc", "http2", "tcp" } },
	{ "http2", { "http2", "tcp" } },
	{ "http", { "http", "tcp" } },
	{ "kafka", { "kafka", "tcp" } },
	{ "mysql", { NULL } },
	{ "tcp", { "tcp" } },
	{ "tls", { "tcp" } },
};

static const struct stack *find(const char *name)
{
	for (size_t i = 0; name != NULL && i < sizeof(STACKS) / sizeof(STACKS[0]); i++)
		if (strcasecmp(STACKS[i].name, name) == 0)
			return &STACKS[i];
	return NULL;
}

static bool speaks(const struct stack *stack, const char *protocol)
{
	for (size_t i = 0; stack->speaks[i] != NULL; i++)
		if (strcmp(stack->speaks[i], protocol) == 0)
			return true;
	return false;
}

const char *protocol_common(const char *a, const char *b)
{
	const struct stack *one = find(a);
	const struct stack *other = find(b);

	if (one == NULL || other == NULL)
		return "unknown";
	if (one == other)
		return one->name;
	for (size_t i = 0; one->speaks[i] != NULL; i++)
		if (speaks(other, one->speaks[i]))
			return one->speaks[i];
	return "unknown";
}

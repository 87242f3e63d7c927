#include "zone/proxies/serving.h"

bool serving_take(struct serving *serving, enum serving_event event, uint64_t now_ms)
{
	bool before = serving->on;

	switch (event) {
	case SERVING_STARTED:
		*serving = (struct serving){ true, now_ms + SERVING_START_MS };
		break;
	case SERVING_CAME: /* it lives: what it has is a matter of a moment */
		if (serving->until_ms != 0)
			serving->until_ms = now_ms + SERVING_START_MS;
		break;
	case SERVING_HEARD:
		*serving = (struct serving){ .on = true };
		break;
	case SERVING_BARE:
		*serving = (struct serving){ 0 };
		break;
	case SERVING_LEFT:
		if (serving->on)
			serving->until_ms = now_ms + SERVING_BACK_MS;
		break;
	case SERVING_PASSED:
		if (serving->until_ms != 0 && now_ms >= serving->until_ms)
			*serving = (struct serving){ 0 };
		break;
	}
	return serving->on != before;
}

bool serving_is_heard(const struct xds_resource_status *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].type == ENVOY_LISTENER && list[i].acked[0] != '\0' &&
		    list[i].wanted[0] != '\0')
			return true;
	return false;
}

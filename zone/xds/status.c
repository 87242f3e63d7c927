#include "zone/xds/xds.h"

const char *xds_state_text(enum xds_state state)
{
	static const char *const TEXT[] = {
		[XDS_NOT_SENT] = "NotSent",
		[XDS_STALE] = "Stale",
		[XDS_SYNCED] = "Synced",
		[XDS_NACKED] = "Nacked",
	};

	return TEXT[state];
}

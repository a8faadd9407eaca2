/* SPDX-License-Identifier: MIT */
#include "holding.h"

#include <errno.h>

#include "../policy/text.h"
#include "capture.h"
#include "flight.h"
#include "gate.h"
#include "live.h"

static void put(struct taf_text *t, const char *key, uint64_t n)
{
	if (!n)
		return;
	taf_text_put(t, ",\"");
	taf_text_put(t, key);
	taf_text_put(t, "\":");
	taf_text_u64(t, n);
}

/* What the pools keep. Asked only while nothing is captured. */
static uint64_t slack_of(const struct taf_work *w)
{
	const struct taf_ops *ops = w->table->ops;
	int saved = errno;
	uint64_t bytes = 0;

	if (!ops || !ops->slack || !taf_capture_shut(0))
		return 0;
	taf_tls.inside++;
	if (ops->slack(atomic_load(&w->handle), w->home, &bytes))
		bytes = 0;
	taf_tls.inside--;
	taf_capture_free();
	errno = saved;
	return bytes;
}

void taf_holding_put(const struct taf_work *w, struct taf_text *t)
{
	enum taf_api api = taf_api_of(w->table->engine);
	struct taf_live_sum live;
	struct taf_flight_sum flight;

	taf_live_sum(api, TAF_LIVE_DEVICES, &live);
	taf_flight_sum(api, &flight);
	put(t, "pieces", live.pieces[TAF_AT_DEVICE] + live.pieces[TAF_AT_MANAGED]);
	put(t, "peak_bytes", live.peak);
	put(t, "largest", live.largest);
	put(t, "managed", live.bytes[TAF_AT_MANAGED]);
	put(t, "pinned", live.bytes[TAF_AT_HOST]);
	put(t, "graphs", live.pieces[TAF_AT_GRAPH]);
	put(t, "pool_slack", slack_of(w));
	put(t, "in_flight", flight.in_flight);
	put(t, "captures", taf_captures_open());
	put(t, "missed", taf_live_missed());
}

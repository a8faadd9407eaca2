/* SPDX-License-Identifier: MIT */
#include "holding.h"

#include <errno.h>

#include "../policy/text.h"
#include "capture.h"
#include "crumb.h"
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

static void put_waited(struct taf_text *t, const struct taf_work *w)
{
	if (!w->waited_ns)
		return;
	taf_text_put(t, ",\"waited_ms\":");
	taf_text_u64(t, (taf_work_end_ns(w) - w->last_ns) / 1000000);
}

void taf_holding_put(const struct taf_work *w, struct taf_text *t)
{
	enum taf_api api = taf_api_of(w->table->engine);
	struct taf_live_sum live;
	struct taf_flight_sum flight;

	put_waited(t, w);
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

static void note(enum taf_api api, uint32_t device, const struct taf_live_sum *s)
{
	char buf[192];
	struct taf_text t;
	struct taf_rec r = { .kind = TAF_NOTE,
			     .phase = TAF_MARK,
			     .engine = taf_engine_of_api(api),
			     .class = "device",
			     .has = TAF_HAS_BYTES,
			     .bytes = s->bytes[TAF_AT_DEVICE] + s->bytes[TAF_AT_MANAGED],
			     .extra = buf };

	taf_text_init(&t, buf, sizeof(buf));
	taf_text_put(&t, ",\"device\":");
	taf_text_u64(&t, device);
	put(&t, "pieces", s->pieces[TAF_AT_DEVICE] + s->pieces[TAF_AT_MANAGED]);
	put(&t, "peak_bytes", s->peak);
	put(&t, "largest", s->largest);
	put(&t, "pinned", s->bytes[TAF_AT_HOST]);
	put(&t, "graphs", s->pieces[TAF_AT_GRAPH]);
	taf_crumb(&r);
}

void taf_holding_leave(void)
{
	struct taf_live_sum s;

	for (int api = TAF_API_NONE + 1; api < TAF_APIS; api++)
		for (uint32_t d = 0; d < TAF_LIVE_DEVICES; d++) {
			taf_live_sum((enum taf_api)api, d, &s);
			if (s.peak || s.bytes[TAF_AT_HOST] || s.pieces[TAF_AT_GRAPH])
				note((enum taf_api)api, d, &s);
		}
}

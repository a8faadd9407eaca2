/* SPDX-License-Identifier: MIT */
/* fuzz_saved.c -- any bytes as a line of STATE/saved.
 *
 * Once as they are and once with a right checksum behind them.  What was taken must be
 * whole, and be read back as it was when it is written again. */
#include <stdlib.h>
#include <string.h>

#include "../../shim/crumb.h"
#include "../../shim/saved.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM 8192u
#define HEAD "taffrail saved "

static char text[ROOM], out[ROOM];

static size_t seal(const uint8_t *data, size_t size)
{
	struct taf_text t;

	taf_text_init(&t, text, sizeof(text));
	taf_text_put_n(&t, (const char *)data, size);
	taf_text_put(&t, " crc=");
	taf_text_hex(&t, taf_crc32c(taf_crc32c(0, HEAD, strlen(HEAD)), data, size), 8);
	return t.used;
}

static void compare(const struct taf_saved *a, const struct taf_saved *b)
{
	char why[256];
	struct taf_text t;

	taf_text_init(&t, why, sizeof(why));
	taf_saved_compare(a, b, &t);
	if (!taf_is_ended(why, sizeof(why)))
		abort();
}

static void round_trip(const struct taf_saved *s)
{
	struct taf_saved again;
	struct taf_text t;

	taf_text_init(&t, out, sizeof(out));
	taf_saved_put(&t, s);
	if (t.is_cut || !taf_saved_take(out, t.used - 1, &again))
		abort();
	if (again.size != s->size || again.hash != s->hash || again.v_unit != s->v_unit)
		abort();
	compare(s, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct taf_saved s, before;

	if (size > ROOM / 2)
		return 0;
	(void)taf_saved_take((const char *)data, size, &s);
	if (!taf_saved_take(text, seal(data, size), &s))
		return 0;
	if (!taf_is_ended(s.name, sizeof(s.name)) || !taf_is_ended(s.model, sizeof(s.model)) ||
	    !taf_is_ended(s.engine, sizeof(s.engine)))
		abort();
	round_trip(&s);
	compare(&before, &s);
	before = s;
	return 0;
}

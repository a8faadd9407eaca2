/* SPDX-License-Identifier: MIT */
/* fuzz_orphan.c -- metal-guard's log, made of any bytes.
 *
 * Besides staying in bounds: what is open afterwards points into the text, the
 * oldest comes first, nothing of a text is ever sure, and no more is open than
 * there were lines.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../policy/orphan.h"

#define ROOM 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(int is_right)
{
	if (!is_right)
		abort();
}

static int64_t utc_of(void *ctx, int64_t local_s)
{
	(void)ctx;
	return local_s - 3600;
}

/* Every pid lives. */
static uint64_t start_of(void *ctx, int32_t pid)
{
	(void)ctx;
	check(pid > 0);
	return 1;
}

static void check_all(const struct taf_orphans *o, const char *text, size_t n)
{
	check(o->n <= ROOM);
	for (size_t i = 0; i < o->n; i++) {
		const struct taf_orphan *one = &o->at[i];

		check(one->is_text && !one->is_ready && !one->is_sure && one->pid >= 0);
		check(one->model_n > 0 && one->model >= text);
		check(one->model + one->model_n <= text + n);
		check(one->at.utc_ms > 0);
		check(i == 0 || o->at[i - 1].age_ms >= one->age_ms);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct taf_orphan memory[ROOM];
	struct taf_orphans o;
	struct taf_orphan_clock clock = { utc_of, NULL };
	struct taf_orphan_world w = { .now = { 1, 1000, 2000000000000ull },
				      .up_since_ms = 1999999000000ull,
				      .after_ms = 90000,
				      .start_of = start_of };
	char *text = malloc(n ? n : 1); /* no byte more than the reader is told of */
	size_t lines = 0;

	if (!text)
		return 0;
	memcpy(text, data, n);
	taf_orphans_init(&o, memory, ROOM);
	for (size_t at = 0; at < n;) {
		const char *end = memchr(text + at, '\n', n - at);
		size_t length = end ? (size_t)(end - text) - at : n - at;

		lines += taf_orphan_line(&o, text + at, length, &clock);
		at += length + 1;
	}
	check(o.n <= lines);
	taf_orphans_judge(&o, &w);
	check_all(&o, text, n);
	free(text);
	return 0;
}

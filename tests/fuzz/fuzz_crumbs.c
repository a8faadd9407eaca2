/* SPDX-License-Identifier: MIT */
/* fuzz_crumbs.c -- the reader of segments and its accessors, on any bytes.
 *
 * The checksum would turn nearly every input away, so each line is also put
 * through the part behind it.  Besides staying in bounds: what was accepted is
 * accepted again, offsets lie in the line, strings are closed.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../cli/show.h"
#include "../../shim/crumb.h"
#include "../../shim/crumb_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(int is_right)
{
	if (!is_right)
		abort();
}

static void read_key(const struct taf_crumb_line *line, enum taf_key key)
{
	char text[48], tiny[3];
	uint64_t u;
	int64_t i;

	check((size_t)line->key[key].at + line->key[key].n <= line->n);
	memset(text, 'x', sizeof(text));
	taf_crumb_text(line, key, text, sizeof(text));
	check(memchr(text, 0, sizeof(text)) != NULL);
	taf_crumb_text(line, key, tiny, sizeof(tiny));
	check(memchr(tiny, 0, sizeof(tiny)) != NULL);
	taf_crumb_text(line, key, NULL, 0);
	taf_crumb_u64(line, key, &u);
	taf_crumb_i64(line, key, &i);
	taf_crumb_us(line, key, &u);
	taf_crumb_member(line, key, "path", text, sizeof(text));
	for (unsigned k = 0; k < 6; k++) {
		taf_crumb_item(line, key, k, text, sizeof(text));
		taf_crumb_item_u64(line, key, k, &u);
	}
}

static void read_line(const struct taf_crumb_line *line)
{
	char safe[64];
	uint64_t us;

	for (int k = 0; k < TAF_KEY_COUNT; k++)
		read_key(line, (enum taf_key)k);
	taf_crumb_kind(line);
	taf_crumb_phase(line);
	taf_crumb_engine(line);
	taf_crumb_utc_us(line, &us);
	if (taf_crumb_text(line, TAF_KEY_MSG, safe, sizeof(safe))) {
		char again[64];

		taf_show_safe(again, sizeof(again), safe);
		for (const char *p = again; *p; p++)
			check((unsigned char)*p >= 0x20 && *p != 0x7f);
	}
}

/* The line with a right checksum, when it ends in room for one. */
static void read_sealed(const char *text, size_t n, uint32_t seed)
{
	struct taf_crumb_line line;
	char sealed[TAF_RECORD_MAX + 64];
	size_t k = n < TAF_RECORD_MAX ? n : TAF_RECORD_MAX;

	memcpy(sealed, text, k);
	snprintf(sealed + k, sizeof(sealed) - k, ",\"crc\":\"%08x\"}", taf_crc32c(seed, sealed, k));
	if (taf_crumb_parse(sealed, strlen(sealed), seed, &line))
		read_line(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct taf_crumb_reader r;
	struct taf_crumb_line line;
	char *text = malloc(n + 1);
	uint64_t us;

	if (!text)
		return 0;
	memcpy(text, data, n);
	taf_crumb_read_init(&r, text, n, 7);
	while (taf_crumb_read_next(&r, &line)) {
		check(line.text >= text && line.text + line.n <= text + n);
		read_line(&line);
	}
	check(r.at >= n && r.good + r.bad <= n);
	for (size_t from = 0; from < n;) {
		const char *end = memchr(text + from, '\n', n - from);
		size_t to = end ? (size_t)(end - text) : n;

		if (taf_crumb_parse_again(text + from, to - from, &line))
			read_line(&line);
		read_sealed(text + from, to - from, 7);
		from = to + 1;
	}
	taf_rfc3339_us(text, n, &us);
	free(text);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* fuzz_panic.c -- any bytes as a report of macOS and as a text to classify: in bounds, closed
 * strings, the same answer again. */
#include <stdlib.h>
#include <string.h>

#include "../../policy/match.h"
#include "../../policy/panic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const rules[] = {
#define MATCH(class, rule) rule,
#include "../../policy/classes.def"
};

static void check(int is_right)
{
	if (!is_right)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *body = malloc(size + 1);
	struct taf_error_class c;
	struct taf_matched m;
	struct taf_panic p;

	if (!body)
		return 0;
	memcpy(body, data, size);
	if (taf_classify(body, size, &c)) {
		check(c.name && *c.name && c.hint && c.level);
		check(taf_classify(body, size, &c));
	}
	taf_match_prepare(&m, body, size);
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		check(taf_match(rules[i], body, size, NULL) == taf_match_in(rules[i], &m, NULL));
	taf_panic_parse(body, size, &p);
	check(p.text >= body && p.n <= size && p.text + p.n <= body + size);
	check(memchr(p.process, 0, sizeof(p.process)) && memchr(p.os, 0, sizeof(p.os)));
	check(strlen(p.boot) == 0 || strlen(p.boot) == 32);
	check(!p.has_class || p.class.name);
	check(p.pid >= 0 && p.utc_us < 1ull << 60);
	free(body);
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "registry_find.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "companion.h"
#include "policy_store.h"

static const struct taf_registry *builtin(void)
{
	return (const void *)taf_registry_builtin;
}

static void count(void *ctx, const char *line)
{
	const struct taf_registry_ask *ask = ctx;

	++*ask->n_bad;
	if (ask->tell)
		ask->tell(ask->ctx, line);
}

static bool take_compiled(const struct taf_registry_ask *ask, struct taf_registry *out)
{
	char sha256[TAF_SHA256_HEX];

	return ask->state && !ask->always_reads && !taf_store_hash(ask->path, sha256) &&
	       taf_store_take_registry(ask->state, sha256, out);
}

static void keep_compiled(const struct taf_registry_ask *ask, const struct taf_registry *r)
{
	int err = ask->state ? taf_store_put_registry(ask->state, r) : 0;
	char line[512];

	if (!err || !ask->tell)
		return;
	snprintf(line, sizeof(line),
		 "%s: the compiled registry cannot be kept there (%s); the guard reads the text "
		 "instead",
		 ask->state, strerror(-err));
	ask->tell(ask->ctx, line);
}

static bool read_text(const struct taf_registry_ask *ask, struct taf_registry *out)
{
	taf_registry_load_fn *load = taf_companion_registry(count, (void *)ask);
	int before = *ask->n_bad, err;

	if (!load)
		return false;
	err = load(ask->path, out, TAF_REGISTRY_VERSION, count, (void *)ask);
	if (err && *ask->n_bad == before)
		count((void *)ask, "there is not memory enough to read the registry");
	return !err;
}

const struct taf_registry *taf_registry_open(const struct taf_registry_ask *ask)
{
	struct taf_registry *r = *ask->path ? calloc(1, TAF_REGISTRY_MAX) : NULL;

	if (!r)
		return builtin();
	if (take_compiled(ask, r))
		return r;
	if (!read_text(ask, r)) {
		free(r);
		return builtin();
	}
	keep_compiled(ask, r);
	return r;
}

void taf_registry_close(const struct taf_registry *r)
{
	if (r != builtin())
		free((void *)r);
}

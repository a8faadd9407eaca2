/* SPDX-License-Identifier: MIT */
#include "catalog.h"

#include "catalog_rows.h"

static const struct taf_catalog_row rows[] = {
#define TAF_ENGINE_NOW TAF_ENGINE_LIBC
#include "libc.def"
#include "exec.def"
#include "dl.def"
#include "signal.def"
#undef TAF_ENGINE_NOW
#define TAF_ENGINE_NOW TAF_ENGINE_LLAMA
#include "llama.def"
#undef TAF_ENGINE_NOW
#define TAF_ENGINE_NOW TAF_ENGINE_GGML
#include "ggml.def"
#undef TAF_ENGINE_NOW
};

static const struct taf_catalog_runtime runtimes[] = {
#define RUNTIME(NAME, name, sync_by, timed, text) \
	{ #name, TAF_ENGINE_##NAME, #sync_by, #timed, text },
#include "runtimes.def"
#undef RUNTIME
};

const struct taf_catalog_row *taf_catalog(size_t *n)
{
	*n = sizeof(rows) / sizeof(*rows);
	return rows;
}

const struct taf_catalog_runtime *taf_catalog_runtimes(size_t *n)
{
	*n = sizeof(runtimes) / sizeof(*runtimes);
	return runtimes;
}

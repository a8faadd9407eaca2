/* SPDX-License-Identifier: MIT */
#include "load_size.h"

#include "../policy/fit.h"
#include "../policy/size.h"
#include "../policy/text.h"

/* What llama.cpp's own programs come down to where nobody says a context, and
 * what its library takes (llama_context_default_params). */
#define SERVER_CONTEXT 4096
#define LIBRARY_CONTEXT 512

/* 0 where nothing, or no number, was said. */
static uint64_t number(const struct taf_model_hints *h, enum taf_hint hint)
{
	const char *end;
	uint64_t v;

	return taf_read_u64(h->text[hint], &end, &v) && !*end ? v : 0;
}

void taf_load_ask(const struct taf_model_hints *h, uint32_t trained, struct taf_cache_ask *ask)
{
	uint64_t usual = h->is_server ? SERVER_CONTEXT : LIBRARY_CONTEXT;
	uint64_t sequences = number(h, TAF_HINT_PARALLEL), ubatch = number(h, TAF_HINT_UBATCH);

	*ask = (struct taf_cache_ask){ .context = number(h, TAF_HINT_CONTEXT),
				       .k_unit = taf_cache_unit(h->text[TAF_HINT_CACHE_K]),
				       .v_unit = taf_cache_unit(h->text[TAF_HINT_CACHE_V]) };
	if (sequences <= UINT16_MAX)
		ask->sequences = (uint32_t)sequences;
	if (ubatch <= UINT16_MAX)
		ask->ubatch = (uint32_t)ubatch;
	/* A context of 0 is that of the model. */
	if (!ask->context && h->text[TAF_HINT_CONTEXT][0] && trained)
		ask->context = trained;
	else if (!ask->context)
		ask->context = trained && trained < usual ? trained : usual;
}

static bool is_named(const char *name, const char *id)
{
	char other[TAF_MODEL_ID];

	return name[0] && taf_model_id(name, other) && taf_model_id_same(other, id);
}

/* What comes with the model that the command line names. */
static void add_companions(const struct taf_model *m, const struct taf_model_hints *h,
			   struct taf_load_size *s)
{
	static const enum taf_hint with[] = { TAF_HINT_DRAFT, TAF_HINT_MMPROJ, TAF_HINT_LORA };
	struct taf_model other;
	struct taf_cache_ask ask;

	if (!is_named(h->text[TAF_HINT_MODEL], m->id))
		return;
	for (int i = 0; i < 3; i++) {
		const char *name = h->text[with[i]];

		if (!name[0] || is_named(name, m->id) || taf_model_identify(name, &other))
			continue;
		s->bytes = taf_plus(s->bytes, other.bytes);
		if (with[i] != TAF_HINT_DRAFT)
			continue;
		taf_load_ask(h, other.context, &ask);
		s->cache_bytes = taf_plus(s->cache_bytes, taf_cache_bytes(&other.cache, &ask));
	}
}

void taf_load_measure(const struct taf_model *m, const struct taf_model_hints *h,
		      struct taf_load_size *s)
{
	struct taf_cache_ask ask;

	*s = (struct taf_load_size){ .basis = TAF_BASIS_UNKNOWN };
	if (!m) {
		if (taf_size(h->text[TAF_HINT_MODEL], 0, &s->bytes) == TAF_SIZE_NAME)
			s->basis = TAF_BASIS_NAME;
		return;
	}
	s->bytes = m->bytes;
	if (m->bytes)
		s->basis = m->flaw[0] ? TAF_BASIS_FILES : TAF_BASIS_HEADERS;
	if (m->role == TAF_ROLE_MAIN || m->role == TAF_ROLE_DRAFT) {
		taf_load_ask(h, m->context, &ask);
		s->cache_bytes = taf_cache_bytes(&m->cache, &ask);
	}
	add_companions(m, h, s);
}

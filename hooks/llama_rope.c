/* SPDX-License-Identifier: MIT */
#include "llama_rope.h"

#include "../shim/work.h"
#include "hook.h"

#define TAF_ROWS "llama.def"
#define TAF_TABLE taf_table_llama
#include "rows.h"
extern const struct taf_table TAF_TABLE;

#define ARCH 64

struct model {
	llama_model_meta_val_str_fn *ask;
	const void *handle;
	char arch[ARCH];
};

/* What stands under "ARCHITECTURE.key". False: nothing. */
static bool find(const struct model *m, const char *key, char *buf, size_t room)
{
	char whole[ARCH + 48];
	struct taf_text t;

	taf_text_init(&t, whole, sizeof(whole));
	taf_text_put(&t, m->arch);
	taf_text_char(&t, '.');
	taf_text_put(&t, key);
	return !t.is_cut && m->ask(m->handle, whole, buf, room) > 0;
}

/* *v stays where nothing is said. False: what is said is no number. */
static bool find_number(const struct model *m, const char *key, float *v)
{
	char buf[32];

	return !find(m, key, buf, sizeof(buf)) || taf_rope_number(buf, v);
}

static bool find_tokens(const struct model *m, uint32_t *n)
{
	float v = 0;

	if (!find_number(m, "context_length", &v) ||
	    !find_number(m, taf_rope_key(TAF_ROPE_ORIG), &v))
		return false;
	*n = v > 0 && v < 4e9f ? (uint32_t)v : 0;
	return true;
}

/* What the model has of its own. False: it cannot be asked, or says what nobody knows. */
static bool ask_model(struct model *m, struct taf_rope_ask *own)
{
	char buf[16];

	taf_rope_own(own);
	if (!m->ask || m->ask(m->handle, "general.architecture", m->arch, sizeof(m->arch)) <= 0)
		return false;
	if (!find_number(m, "rope.scale_linear", &own->v[TAF_ROPE_SCALE])) /* the older key */
		return false;
	for (int i = 0; i < TAF_ROPE_ORIG; i++)
		if (!find_number(m, taf_rope_key((enum taf_rope_setting)i), &own->v[i]))
			return false;
	if (find(m, "rope.scaling.type", buf, sizeof(buf)) &&
	    !taf_rope_scaling_of(buf, &own->scaling))
		return false;
	return find_tokens(m, &own->orig);
}

static bool read_asked(const struct taf_call *call, const uint64_t *params,
		       struct taf_rope_ask *asked)
{
	llama_context_default_params_fn *defaults =
		THEIRS(llama_context_default_params, call->caller);
	struct taf_result d;

	if (!defaults)
		return false;
	d = defaults();
	return taf_rope_read(&d, params, asked);
}

void taf_llama_rope_note(const struct taf_call *call, const void *model, const uint64_t *params)
{
	struct model m = { .handle = model };
	struct taf_rope_ask asked, own;

	if (!call->work || !taf_rules.state_guard)
		return;
	m.ask = THEIRS(llama_model_meta_val_str, call->caller);
	taf_tls.inside++;
	if (read_asked(call, params, &asked) && ask_model(&m, &own))
		taf_rope_resolve(&asked, &own, &call->work->turn);
	taf_tls.inside--;
}

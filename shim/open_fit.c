/* SPDX-License-Identifier: MIT */
#include "open_fit.h"

#include "../policy/fit.h"
#include "facts.h"
#include "memory.h"
#include "open_seen.h"
#include "real.h"
#include "say.h"
#include "scratch.h"
#include "state.h"

/* No limit, and nobody knows how much there is: no rule has a word. */
static bool is_anything_known(const struct taf_memory *m)
{
	return m->total || taf_rules.memory_limit.is == TAF_AMOUNT_BYTES;
}

/* Reads the headers. False: there is no size to judge. */
static bool measure(const char *path, struct taf_open_set *s)
{
	struct taf_model *m = taf_scratch_take(sizeof(*m));
	bool is_measured = m && !taf_model_identify(path, m);

	if (is_measured) {
		taf_load_measure(m, taf_load_hints(), &s->size);
		taf_copy(s->id, m->id, sizeof(s->id));
	}
	taf_scratch_give(m);
	return is_measured;
}

/* The rule's word on a load of s. */
static bool judge(const struct taf_open_set *s, const struct taf_memory *now, const char *name)
{
	uint64_t rest = taf_less(s->size.bytes, s->in);
	struct taf_event ev = { .kind = TAF_LOAD,
				.phase = TAF_BEGIN,
				.model = s->id,
				.bytes = rest,
				.cache_bytes = s->size.cache_bytes,
				.basis = s->size.basis };
	struct taf_verdict *v = taf_scratch_take(sizeof(*v));
	struct taf_facts f;
	bool is_fit;

	if (!v)
		return true;
	taf_facts_cheap(&f, NULL);
	f.fits_anyway = taf_env_is_on(taf_env_now, "TAFFRAIL_FIT_ANYWAY");
	f.memory = *now;
	taf_verdict_init(v);
	taf_fit(&(struct taf_question){ &taf_rules, &ev, &f }, v);
	for (uint32_t i = 0; i < v->n_said; i++)
		if (v->said[i].action == TAF_ACT_WAIT)
			v->said[i].action = TAF_ACT_WARN;
	if (v->n_said)
		taf_say_verdict(&(struct taf_admission){ .event = &ev, .call = name }, v, 0);
	is_fit = taf_rules.mode == TAF_MODE_OBSERVE || v->action != TAF_ACT_REFUSE;
	taf_scratch_give(v);
	return is_fit;
}

/* What is cheapest first: a model of many parts is opened that many times. */
static bool fits(const char *path, const char *name)
{
	struct taf_open_now now = { .key = taf_open_key(path), .ms = taf_sys_mono_ns() / 1000000 };
	enum taf_open_word word;
	struct taf_memory memory;
	struct taf_open_set s;

	if (!now.key)
		return true;
	taf_ring_bytes(&now.live, &now.given);
	word = taf_open_recall(&now, &s);
	if (word == TAF_OPEN_PASSED || taf_real_has_load())
		return true;
	taf_memory_now(&memory);
	if (!is_anything_known(&memory))
		return true;
	s.is_passed = (word == TAF_OPEN_NEW && !measure(path, &s)) || judge(&s, &memory, name);
	taf_open_keep(&now, &s);
	return s.is_passed;
}

bool taf_open_fits(const char *path, const char *name)
{
	bool r;

	if (taf_state_now() != TAF_ACTIVE || taf_tls.inside || !taf_model_is_weights(path) ||
	    taf_is_other_process())
		return true;
	taf_tls.inside++;
	r = fits(path, name);
	taf_tls.inside--;
	return r;
}

/* SPDX-License-Identifier: MIT */
#include "open_fit.h"

#include "../policy/fit.h"
#include "facts.h"
#include "load_size.h"
#include "memory.h"
#include "real.h"
#include "say.h"
#include "state.h"

#define PASSED 16

/* Sets of files that were let through, by fingerprint: what is loaded may be read again. */
static _Atomic(uint64_t) passed[PASSED];
static _Atomic(uint32_t) next_passed;

static bool was_passed(uint64_t fingerprint)
{
	for (int i = 0; i < PASSED; i++)
		if (atomic_load(&passed[i]) == fingerprint)
			return true;
	return false;
}

/* The rule's word on a load of m. */
static bool judge(const struct taf_model *m, const char *name)
{
	struct taf_load_size size;
	struct taf_event ev = { .kind = TAF_LOAD, .phase = TAF_BEGIN, .model = m->id };
	struct taf_facts f;
	struct taf_verdict v;

	taf_load_measure(m, taf_load_hints(), &size);
	ev.bytes = size.bytes;
	ev.cache_bytes = size.cache_bytes;
	ev.basis = size.basis;
	taf_facts_cheap(&f, NULL);
	f.fits_anyway = taf_env_is_on(taf_env_now, "TAFFRAIL_FIT_ANYWAY");
	taf_memory_now(&f.memory);
	taf_verdict_init(&v);
	taf_fit(&(struct taf_question){ &taf_rules, &ev, &f }, &v);
	for (uint32_t i = 0; i < v.n_said; i++)
		if (v.said[i].action == TAF_ACT_WAIT)
			v.said[i].action = TAF_ACT_WARN;
	if (v.n_said)
		taf_say_verdict(&(struct taf_admission){ .event = &ev, .call = name }, &v);
	return taf_rules.mode == TAF_MODE_OBSERVE || v.action != TAF_ACT_REFUSE;
}

bool taf_open_fits(const char *path, const char *name)
{
	struct taf_model m;
	bool fits = true;

	if (taf_state_now() != TAF_ACTIVE || taf_tls.inside || taf_is_other_process() ||
	    !taf_model_is_weights(path) || taf_real_has_load())
		return true;
	taf_tls.inside++;
	if (!taf_model_identify(path, &m) && !was_passed(m.fingerprint)) {
		fits = judge(&m, name);
		if (fits)
			atomic_store(&passed[atomic_fetch_add(&next_passed, 1) % PASSED],
				     m.fingerprint);
	}
	taf_tls.inside--;
	return fits;
}

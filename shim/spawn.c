/* SPDX-License-Identifier: MIT */
#include "spawn.h"

#include "../policy/text.h"
#include "crumb.h"
#include "elfmap.h"
#include "life.h"
#include "state.h"

static const char passed_on[][24] = {
	"TAFFRAIL_POLICY",     "TAFFRAIL_BLOB",	   "TAFFRAIL_SET",    "TAFFRAIL_STATE",
	"TAFFRAIL_PROPAGATE",  "TAFFRAIL_LABEL",   "TAFFRAIL_STRICT", "TAFFRAIL_LIBDIR",
	"TAFFRAIL_FIT_ANYWAY", "TAFFRAIL_RESTART",
};

#define PASSED_ON (sizeof(passed_on) / sizeof(*passed_on))
_Static_assert(PASSED_ON + 3 <= TAF_SPAWN_EXTRA,
	       "room for what we pass on, the preload, the run and the end");

/* The entry NAME=... of an environment, or NULL. */
static char *entry_of(char *const *envp, const char *name)
{
	size_t n = taf_len(name);

	for (; envp && *envp; envp++)
		if (taf_same_n(*envp, name, n) && (*envp)[n] == '=')
			return *envp;
	return NULL;
}

static bool names_us(const char *preload)
{
	return preload && taf_find(preload, "libtaffrail.so");
}

static bool is_forced(void)
{
	const char *p = taf_env(taf_env_now, "TAFFRAIL_PROPAGATE");

	return (p && taf_same(p, "force")) || taf_rules.propagate == TAF_PROPAGATE_FORCE;
}

/* Ours first, then the alloc object if we have it, then what they preload. */
static void plan_preload(struct taf_spawn *s, const char *theirs)
{
	struct taf_text t;
	struct link_map *self = taf_elf_self();
	const char *had = taf_env(taf_env_now, "LD_PRELOAD"), *alloc;

	taf_text_init(&t, s->preload, sizeof(s->preload));
	taf_text_put(&t, "LD_PRELOAD=");
	taf_text_put(&t, self && self->l_name ? self->l_name : "");
	alloc = had ? taf_find(had, "libtaffrail-alloc.so") : NULL;
	if (alloc) {
		const char *from = alloc;

		while (from > had && from[-1] != ':' && from[-1] != ' ')
			from--;
		taf_text_char(&t, ':');
		taf_text_put_n(&t, from, (size_t)(alloc - from) + taf_len("libtaffrail-alloc.so"));
	}
	if (theirs && theirs[0]) {
		taf_text_char(&t, ':');
		taf_text_put(&t, theirs);
	}
	if (t.is_cut || !self || !self->l_name || self->l_name[0] != '/')
		s->preload[0] = '\0';
}

void taf_spawn_plan(struct taf_spawn *s, char *const *envp)
{
	char *preload = entry_of(envp, "LD_PRELOAD");
	bool goes_along = names_us(preload);

	s->envp = envp;
	s->n = s->room = 0;
	s->preload[0] = s->run[0] = '\0';
	for (; envp && envp[s->n]; s->n++)
		;
	if (s->n > TAF_SPAWN_MAX || taf_env_is_off(envp) || taf_state_now() == TAF_OFF)
		return;
	if (!goes_along && is_forced()) {
		plan_preload(s, preload ? preload + taf_len("LD_PRELOAD=") : NULL);
		goes_along = s->preload[0] != '\0';
	}
	if (goes_along && !entry_of(envp, "TAFFRAIL_RUN") && taf_run_id()[0]) {
		struct taf_text t;

		taf_text_init(&t, s->run, sizeof(s->run));
		taf_text_put(&t, "TAFFRAIL_RUN=");
		taf_text_put(&t, taf_run_id());
	}
	if (s->preload[0] || s->run[0])
		s->room = s->n + TAF_SPAWN_EXTRA;
}

char *const *taf_spawn_env(const struct taf_spawn *s, char **room)
{
	size_t k = 0;
	union {
		const char *c;
		char *m;
	} u;

	if (!s->room)
		return s->envp;
	for (size_t i = 0; i < s->n; i++)
		if (!s->preload[0] || !taf_starts(s->envp[i], "LD_PRELOAD="))
			room[k++] = s->envp[i];
	for (size_t i = 0; s->preload[0] && i < PASSED_ON; i++) {
		char *had = entry_of(taf_env_now, passed_on[i]);

		if (had && !entry_of(s->envp, passed_on[i]))
			room[k++] = had;
	}
	u.c = s->preload;
	if (s->preload[0])
		room[k++] = u.m;
	u.c = s->run;
	if (s->run[0])
		room[k++] = u.m;
	room[k] = NULL;
	return room;
}

void taf_spawn_started(const char *call, const char *path, int rc)
{
	struct taf_rec r = { .kind = TAF_EXEC,
			     .phase = TAF_MARK,
			     .engine = TAF_ENGINE_LIBC,
			     .call = call,
			     .msg = path,
			     .has = TAF_HAS_RC,
			     .rc = rc };

	if (!taf_is_other_process() && taf_state_now() == TAF_ACTIVE)
		taf_crumb(&r);
}

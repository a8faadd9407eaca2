/* SPDX-License-Identifier: MIT */
#include "known.h"

#include <errno.h>
#include <stdatomic.h>

#include "../policy/value.h"
#include "../policy/version.h"
#include "compiled.h"
#include "life.h"
#include "model_id.h"
#include "versions.h"

#define TOLD_MAX 64
#define ABOUT_MAX 16 /* models of the registry that one process comes to load */

typedef int companion_fn(const char *path, struct taf_registry *out, uint32_t version,
			 void (*tell)(void *ctx, const char *line), void *ctx);

/* Written while WAKING, read-only after. */
static const struct taf_registry *registry;
static struct taf_versions versions;
static char hit[160]; /* "" none */

/* What was told, by fingerprint of the id; 0 is free. */
static _Atomic(uint64_t) told[TOLD_MAX];
static _Atomic(bool) is_hit_told;

/* The error classes of one model, joined once. */
static struct about {
	_Atomic(const struct taf_reg_model *) of;
	_Atomic(bool) is_ready;
	char text[112];
} abouts[ABOUT_MAX];

static const struct taf_registry *in_force(void)
{
	return registry ? registry : (const void *)taf_registry_builtin;
}

const struct taf_registry *taf_known_registry(void)
{
	return in_force();
}

/* ---- The registry -------------------------------------------------------------- */

/* Maps a compiled registry; NULL when it is missing or cannot be believed, which is told. */
static const struct taf_registry *map_compiled(const char *path, struct taf_text *why)
{
	int fd = taf_sys_open(path, TAF_O_READ);
	struct taf_stat st;
	struct taf_registry *r = NULL;
	char buf[160];
	struct taf_text no;
	const char *distrust;

	if (fd < 0)
		return NULL;
	taf_text_init(&no, buf, sizeof(buf));
	distrust = taf_compiled_distrust(fd, sizeof(*r), TAF_REGISTRY_MAX);
	if (!distrust && !taf_sys_fstat(fd, &st))
		r = taf_sys_map(st.size);
	if (r && (taf_sys_read(fd, r, st.size) != (int64_t)st.size ||
		  !taf_registry_is_valid(r, st.size, &no))) {
		taf_sys_unmap(r, st.size);
		r = NULL;
	}
	taf_sys_close(fd);
	if (!r)
		taf_complain_of(why, path,
				distrust ? distrust
				: buf[0] ? buf
					 : "cannot be read",
				"");
	return r;
}

static const struct taf_registry *compile(const char *path, struct taf_text *why)
{
	char where[TAF_PATH_MAX];
	union {
		void *p;
		companion_fn *load;
	} u = { .p = taf_compiled_companion("taffrail_registry_load", where) };
	struct taf_registry *r = u.p ? taf_sys_map(TAF_REGISTRY_MAX) : NULL;

	if (!u.p)
		taf_complain_of(why, where, "cannot be opened (is libcjson installed?)", "");
	if (r && u.load(path, r, TAF_REGISTRY_VERSION, taf_complain, why)) {
		taf_sys_unmap(r, TAF_REGISTRY_MAX);
		r = NULL;
	}
	return r;
}

static const struct taf_registry *find(const char *path, struct taf_text *why)
{
	char sha256[TAF_SHA256_HEX], compiled[TAF_PATH_MAX];
	int err = taf_compiled_hash(path, sha256);
	const struct taf_registry *r = NULL;

	if (err) {
		taf_complain_of(why, path, err == -ENOENT ? "does not exist" : "cannot be read",
				"");
		return NULL;
	}
	if (taf_compiled_path("registry", sha256, compiled))
		r = map_compiled(compiled, why);
	return r && taf_same(r->sha256, sha256) ? r : compile(path, why);
}

/* ---- Versions ------------------------------------------------------------------ */

static bool is_here(const struct taf_reg_release *v)
{
#if defined(__APPLE__)
	return v->system != 2; /* not for linux alone */
#else
	return v->system != 1; /* not for macos alone */
#endif
}

/* What a warning is worth: what is only awkward stays out of the way. */
static bool is_bad(const struct taf_reg_release *v)
{
	return v->is_blocked || v->severity >= 2;
}

static void put_word(struct taf_text *out, enum taf_reg_kind kind, uint32_t word)
{
	taf_value_show_word(out, taf_reg_words(kind), word);
}

/* "mlx 0.31.2 (critical): clear_cache() between ..." */
static void describe(const struct taf_version *v, const struct taf_reg_release *release)
{
	struct taf_text t;

	taf_text_init(&t, hit, sizeof(hit));
	taf_text_put(&t, v->package);
	taf_text_char(&t, ' ');
	taf_text_put(&t, v->version);
	taf_text_put(&t, " (");
	put_word(&t, TAF_REG_SEVERITY_KIND, release->severity);
	taf_text_put(&t, "): ");
	taf_text_put(&t, taf_registry_text(in_force(), release->topic));
}

static void judge_versions(void)
{
	const struct taf_reg_release *worst = NULL, *v;
	const struct taf_version *of = NULL;

	hit[0] = '\0';
	for (uint32_t i = 0; i < versions.n; i++) {
		const struct taf_version *have = &versions.at[i];

		for (uint32_t k = 0;
		     (v = taf_registry_release(in_force(), have->package, have->version, &k));) {
			if (!is_here(v) || !is_bad(v) ||
			    (worst && (v->severity < worst->severity ||
				       (v->severity == worst->severity &&
					v->is_blocked <= worst->is_blocked))))
				continue;
			worst = v;
			of = have;
		}
	}
	if (worst)
		describe(of, worst);
}

void taf_known_load(const char *path, struct taf_text *why)
{
	registry = NULL;
	if (path[0]) {
		registry = find(path, why);
		if (!registry)
			taf_complain(why, "the registry that comes along is in force");
	}
	/* A thread of the parent may have had the loader's lock when it forked: nobody
	 * gives it back here. What the parent had read is inherited. */
	if (!taf_is_fork_child)
		taf_versions_read(&versions);
	judge_versions();
	for (size_t i = 0; i < TOLD_MAX; i++)
		atomic_store(&told[i], 0);
	atomic_store(&is_hit_told, false);
}

/* ---- Facts --------------------------------------------------------------------- */

static uint64_t print_of(const char *id)
{
	uint64_t h = taf_model_fingerprint(0, 0, id, taf_len(id));

	return h ? h : 1;
}

static bool is_told(const char *id)
{
	uint64_t print = print_of(id);

	for (size_t i = 0; i < TOLD_MAX; i++)
		if (atomic_load(&told[i]) == print)
			return true;
	return false;
}

void taf_known_told(const char *id)
{
	uint64_t print, empty = 0;

	atomic_store(&is_hit_told, true);
	if (!id || !*id || is_told(id))
		return;
	print = print_of(id);
	for (size_t i = 0; i < TOLD_MAX; i++, empty = 0)
		if (atomic_compare_exchange_strong(&told[i], &empty, print))
			return;
}

/* Static text: whoever is first makes it, and who comes meanwhile gets the advice alone. */
static const char *about(const struct taf_reg_model *m)
{
	for (size_t i = 0; i < ABOUT_MAX; i++) {
		const struct taf_reg_model *none = NULL;
		struct taf_text t;

		if (atomic_compare_exchange_strong(&abouts[i].of, &none, m)) {
			taf_text_init(&t, abouts[i].text, sizeof(abouts[i].text));
			taf_registry_about(in_force(), m, &t);
			atomic_store(&abouts[i].is_ready, true);
			return abouts[i].text;
		}
		if (none == m && atomic_load(&abouts[i].is_ready))
			return abouts[i].text;
		if (none == m)
			break;
	}
	return taf_registry_text(in_force(), m->advice);
}

/* Whether all that would follow is a warning, so that once is enough. */
static bool only_warns(uint32_t tier)
{
	switch (tier) {
	case TAF_TIER_PANIC: return taf_rules.models_on_panic == TAF_ON_WARN;
	case TAF_TIER_ABORT: return taf_rules.models_on_abort == TAF_ON_WARN;
	default: return taf_rules.models_on_degradation == TAF_ON_WARN;
	}
}

void taf_known_model(const char *id, struct taf_facts *f)
{
	const struct taf_reg_model *m = taf_registry_find(in_force(), id);

	f->tier = TAF_TIER_NONE;
	f->tier_why = NULL;
	if (!m || !taf_registry_hits(in_force(), m, NULL) || (only_warns(m->tier) && is_told(id)))
		return;
	f->tier = (enum taf_tier)m->tier;
	f->tier_why = about(m);
}

void taf_known_versions(struct taf_facts *f)
{
	bool is_over = taf_rules.versions_on_hit == TAF_ON_WARN && atomic_load(&is_hit_told);

	f->version_hit = hit[0] && !is_over ? hit : NULL;
}

bool taf_known_bars_clear(const char *engine)
{
	const struct taf_no_clear_list *list = &taf_rules.drain_no_clear;

	for (uint32_t i = 0; i < list->n; i++)
		for (uint32_t k = 0; k < versions.n && taf_same(list->at[i].name, engine); k++)
			if (taf_same(versions.at[k].package, engine) &&
			    taf_version_matches(versions.at[k].version, list->at[i].versions))
				return true;
	return false;
}

void taf_known_put(struct taf_text *out)
{
	for (uint32_t i = 0; i < versions.n; i++) {
		taf_text_put(out, i ? "," : ",\"versions\":{");
		taf_text_json(out, versions.at[i].package, sizeof(versions.at[i].package));
		taf_text_char(out, ':');
		taf_text_json(out, versions.at[i].version, sizeof(versions.at[i].version));
	}
	if (versions.n)
		taf_text_char(out, '}');
}

/* SPDX-License-Identifier: MIT */
#include "session.h"

#include "../policy/role.h"
#include "argv.h"
#include "host.h"
#include "known.h"
#include "life.h"
#include "model_hint.h"
#include "model_id.h"
#include "real.h"
#include "scratch.h"
#include "state.h"

#ifndef TAF_VERSION
#define TAF_VERSION "0"
#endif

extern char **environ;

int taf_session_dirs(const struct taf_rules *rules, struct taf_session *s, struct taf_text *why)
{
	int err = taf_dir_state(taf_env_now, s->state, rules->crumbs_dir[0] ? NULL : why);

	if (err)
		s->state[0] = '\0';
	if (rules->crumbs_dir[0]) {
		taf_copy(s->dir, rules->crumbs_dir, sizeof(s->dir));
		err = taf_dir_make(s->dir, why);
	} else if (!err) {
		err = taf_dir_join(s->dir, s->state, "crumbs");
	}
	if (err)
		return err;
	if (rules->crumbs_ring == TAF_RING_DISK)
		taf_copy(s->ring_dir, s->dir, sizeof(s->ring_dir));
	else
		taf_dir_ring(taf_env_now, s->ring_dir, NULL);
	return 0;
}

static void member(struct taf_text *out, const char *key, const char *value)
{
	taf_text_put(out, ",\"");
	taf_text_put(out, key);
	taf_text_put(out, "\":");
	taf_text_json(out, value, 512);
}

static void number(struct taf_text *out, const char *key, uint64_t value)
{
	taf_text_put(out, ",\"");
	taf_text_put(out, key);
	taf_text_put(out, "\":");
	taf_text_u64(out, value);
}

static const char *mode_name(void)
{
	return taf_rules.mode == TAF_MODE_OBSERVE ? "observe" : "enforce";
}

static void put_policy(const struct taf_loaded *l, struct taf_text *out)
{
	static const char from[][12] = { "built-in", "blob", "companion" };

	taf_text_put(out, ",\"policy\":{\"origin\":");
	taf_text_json(out, from[l->from], 16);
	if (l->path[0]) {
		member(out, "path", l->path);
		member(out, "sha256", l->sha256);
	}
	number(out, "bad", (uint64_t)l->n_bad);
	taf_text_char(out, '}');
}

/* Exported names always work; what else has caught a call so far is known by now. */
static void put_routes(struct taf_text *out)
{
	uint32_t routes = atomic_load(&taf_routes);

	taf_text_put(out, ",\"routes\":[\"export\"");
	if (routes & TAF_ROUTE_DLSYM)
		taf_text_put(out, ",\"dlsym\"");
	if (routes & TAF_ROUTE_GOT)
		taf_text_put(out, ",\"got\"");
	if (routes & TAF_ROUTE_SITES)
		taf_text_put(out, ",\"sites\"");
	taf_text_char(out, ']');
	member(out, "boundaries", taf_real_has_load() ? "exact" : "inferred");
}

/* How much room the program was told to make: context, and sequences at once. */
static void put_asked(const struct taf_model_hints *h, struct taf_text *out)
{
	const char *context = h->text[TAF_HINT_CONTEXT], *parallel = h->text[TAF_HINT_PARALLEL];

	if (!context[0] && !parallel[0])
		return;
	taf_text_put(out, ",\"asked\":{");
	if (context[0]) {
		taf_text_put(out, "\"context\":");
		taf_text_json(out, context, 16);
	}
	if (parallel[0]) {
		taf_text_put(out, context[0] ? ",\"parallel\":" : "\"parallel\":");
		taf_text_json(out, parallel, 16);
	}
	taf_text_char(out, '}');
}

/* What argv and the environment say will be loaded; a hint for who reads a log without a load. */
static void put_hint(struct taf_text *out)
{
	struct taf_model_hints *h = taf_scratch_take(sizeof(*h));
	const char *alias, *model;
	char id[TAF_MODEL_ID];

	if (!h)
		return;
	taf_zero(h, sizeof(*h));
	taf_model_hint_argv(taf_argc, taf_argv, h);
	taf_model_hint_env(taf_env_now, h);
	alias = h->text[TAF_HINT_ALIAS];
	model = h->text[TAF_HINT_MODEL];
	if (alias[0] || (model[0] && taf_model_id(model, id)))
		member(out, "hint", alias[0] ? alias : id);
	put_asked(h, out);
	taf_scratch_give(h);
}

static void put_host(struct taf_text *out)
{
	struct taf_host *host = taf_scratch_take(sizeof(*host));

	if (!host)
		return;
	taf_host_read(host, "");
	taf_host_put(host, out);
	taf_scratch_give(host);
}

/* The levers of env.set that this process really has. */
static void put_levers(struct taf_text *out)
{
	bool is_first = true;

	for (uint32_t i = 0; i < taf_rules.env_set.n && i < TAF_ENV_ROOM; i++) {
		const char *value = taf_env(environ, taf_rules.env_set.at[i].name);

		if (!value || !taf_same(value, taf_rules.env_set.at[i].value))
			continue;
		taf_text_put(out, is_first ? ",\"levers\":[" : ",");
		taf_text_json(out, taf_rules.env_set.at[i].name, 64);
		is_first = false;
	}
	if (!is_first)
		taf_text_char(out, ']');
}

void taf_session_head(const struct taf_loaded *loaded, struct taf_text *out)
{
	char buf[512], machine[TAF_BOOT_ID_LEN + 1];
	const char *label = taf_env(taf_env_now, "TAFFRAIL_LABEL");

	number(out, "v", TAF_CRUMB_VERSION);
	member(out, "role", "guest");
	member(out, "exe", taf_exe());
	taf_text_put(out, ",\"argv\":");
	taf_argv_json(taf_argc, taf_argv, out);
	if (taf_sys_readlink("/proc/self/cwd", buf, sizeof(buf)) > 0)
		member(out, "cwd", buf);
	if (!taf_sys_machine_id(machine))
		member(out, "machine", machine);
	number(out, "pid_ns", taf_sys_pid_ns());
	number(out, "ppid", (uint64_t)taf_sys_ppid());
	put_hint(out);
	member(out, "guess", taf_role_name(loaded->guess)); /* a profile's is in the policy */
	if (loaded->program && taf_rules.recognize)
		member(out, "profile", taf_app_name(loaded->program));
	member(out, "shim", TAF_VERSION);
	member(out, "mode", mode_name());
	number(out, "idle_ms", taf_rules.drain_idle_ms);
	put_policy(loaded, out);
	put_routes(out);
	put_levers(out);
	if (label && label[0])
		member(out, "label", label);
	taf_known_put(out);
	put_host(out);
}

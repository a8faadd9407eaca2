/* SPDX-License-Identifier: MIT */
/* config_profile.c -- "profiles": [{"name", "role", "match": {exe, argv, engine}, "settings": {}}].
 *
 * A profile whose match is not understood is left out as a whole: it could
 * only apply to the wrong program.
 */
#include <string.h>

#include "../policy/event.h"
#include "config_load.h"

static bool wrong(struct taf_load *l, const struct taf_node *n, const char *path, const char *why)
{
	taf_load_complain(l, taf_node_value(l, n), path, why);
	return false;
}

static bool names_an_engine(const char *glob)
{
	for (int i = 1; i < TAF_ENGINE_COUNT; i++)
		if (taf_glob(glob, taf_engine_name((enum taf_engine)i)))
			return true;
	return false;
}

/* Where the glob of that key goes, or NULL. */
static char *glob_of(struct taf_profile *f, const char *key)
{
	if (!strcmp(key, "exe"))
		return f->exe;
	if (!strcmp(key, "argv"))
		return f->argv;
	return strcmp(key, "engine") ? NULL : f->engine;
}

static bool read_glob(struct taf_load *l, struct taf_profile *f, const struct taf_node *kid)
{
	char *glob = glob_of(f, kid->json->string);

	if (!glob) {
		taf_load_no_key(l, kid, "profiles.match", "exe, argv or engine");
		return false;
	}
	if (!cJSON_IsString(kid->json) || !*kid->json->valuestring)
		return wrong(l, kid, "profiles.match",
			     "a pattern is text; write as in \"node\" or \"*serve*\"");
	if (!taf_copy(glob, kid->json->valuestring, TAF_GLOB_ROOM))
		return wrong(l, kid, "profiles.match",
			     "this pattern is too long; write at most 127 bytes");
	if (glob == f->engine && !names_an_engine(glob))
		return wrong(l, kid, "profiles.match",
			     "no engine has this name; `taffrail hooks` lists them");
	return true;
}

static bool read_match(struct taf_load *l, struct taf_profile *f, const struct taf_node *n)
{
	struct taf_node kid = { 0 };
	bool is_good = true;

	if (!cJSON_IsObject(n->json) || !n->json->child)
		return wrong(
			l, n, "profiles.match",
			"it would match every program; write {\"exe\": \"node\"}, argv or engine");
	while (taf_node_next(l, n, &kid))
		is_good = !taf_load_is_twice(l, n, &kid, "profiles.match") &&
			  read_glob(l, f, &kid) && is_good;
	return is_good;
}

static bool read_name(struct taf_load *l, struct taf_profile *f, const struct taf_node *n)
{
	if (!cJSON_IsString(n->json) || !*n->json->valuestring)
		wrong(l, n, "profiles.name", "a name is text; write as in \"server\"");
	else if (!taf_copy(f->name, n->json->valuestring, sizeof(f->name)))
		wrong(l, n, "profiles.name", "this name is too long; write at most 63 bytes");
	return true;
}

static void read_role(struct taf_load *l, struct taf_profile *f, const struct taf_node *n)
{
	int role = cJSON_IsString(n->json) ? taf_role_of(n->json->valuestring) : -1;
	char why[160];
	struct taf_text t;

	if (role > 0) {
		f->role = (uint32_t)role;
		f->role_line = taf_scan_line(&l->scan, taf_node_value(l, n));
		return;
	}
	taf_text_init(&t, why, sizeof(why));
	taf_text_put(&t, "there is no such role; write ");
	taf_role_words(&t);
	taf_load_complain(l, taf_node_value(l, n), "profiles.role", why);
}

static bool read_settings(struct taf_load *l, struct taf_profile *f, const struct taf_node *n)
{
	if (!cJSON_IsObject(n->json)) {
		wrong(l, n, "profiles.settings", "settings belong here; write { ... }");
		return true;
	}
	l->profile = f;
	taf_load_settings(l, n);
	l->profile = NULL;
	return true;
}

/* False when it must not apply. */
static bool read_profile(struct taf_load *l, struct taf_profile *f, const struct taf_node *n)
{
	bool is_good = true, has_match = false;
	struct taf_node kid = { 0 };

	while (taf_node_next(l, n, &kid)) {
		const char *key = kid.json->string;

		if (taf_load_is_twice(l, n, &kid, "profiles"))
			continue;
		if (!strcmp(key, "name"))
			read_name(l, f, &kid);
		else if (!strcmp(key, "role"))
			read_role(l, f, &kid);
		else if (!strcmp(key, "match"))
			is_good = read_match(l, f, &kid);
		else if (!strcmp(key, "settings"))
			read_settings(l, f, &kid);
		else
			taf_load_no_key(l, &kid, "profiles", "name, role, match and settings");
		has_match = has_match || !strcmp(key, "match");
	}
	if (!has_match)
		return wrong(l, n, "profiles",
			     "it has no match; write \"match\": {\"exe\": \"node\"}");
	return is_good;
}

void taf_load_profiles(struct taf_load *l, const struct taf_node *n)
{
	struct taf_policy *p = l->out;
	struct taf_node kid = { 0 };
	struct taf_text t;

	if (!cJSON_IsArray(n->json)) {
		wrong(l, n, "profiles", "a list belongs here; write [ {...} ]");
		return;
	}
	for (uint64_t number = 1; taf_node_next(l, n, &kid); number++) {
		struct taf_profile *f;

		if (!cJSON_IsObject(kid.json)) {
			wrong(l, &kid, "profiles",
			      "a profile is an object; write {\"match\": {...}, \"settings\": "
			      "{...}}");
			continue;
		}
		if (p->n_profiles == TAF_PROFILES) {
			wrong(l, &kid, "profiles", "there is room for 8; join some by patterns");
			return;
		}
		f = &p->profiles[p->n_profiles];
		taf_rules_default(&f->rules);
		f->begins = taf_scan_line(&l->scan, taf_node_value(l, &kid));
		taf_text_init(&t, f->name, sizeof(f->name));
		taf_text_put(&t, "profile ");
		taf_text_u64(&t, number);
		if (read_profile(l, f, &kid))
			p->n_profiles++;
		else
			taf_zero(f, sizeof(*f));
	}
}

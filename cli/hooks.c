/* SPDX-License-Identifier: MIT */
/* hooks.c -- `taffrail hooks [--engine E] [--json]`: the rows of the hook tables. */
#include <stdio.h>
#include <string.h>

#include "jsonout.h"
#include "option.h"
#include "usage.h"
#include "verbs.h"
#include "../hooks/catalog.h"

struct options {
	bool is_json;
	enum taf_engine engine; /* TAF_ENGINE_NONE: all */
};

static const char *keep_name(enum taf_kind kind)
{
	static const char *const names[] = { "none", "ring", "log", "sync" };

	return names[taf_kind_durability(kind)];
}

/* What the thunk column means, for people. */
static const char *way_of(const struct taf_catalog_row *r)
{
	static const char *const ways[][2] = {
		{ "generated", "wrapped" },
		{ "own", "wrapped" },
		{ "notify", "noticed" },
		{ "call", "called by us" },
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(r->thunk, ways[i][0]))
			return ways[i][1];
	return r->thunk;
}

static bool has_engine(enum taf_engine engine)
{
	size_t n;
	const struct taf_catalog_row *rows = taf_catalog(&n);

	for (size_t i = 0; i < n; i++)
		if (rows[i].engine == engine)
			return true;
	return false;
}

static int take_engine(struct options *o, const char *name)
{
	int engine = name ? taf_engine_of(name) : -1;

	if (!name)
		return taf_usage_wrong("hooks", "--engine needs a name");
	if (engine <= TAF_ENGINE_NONE || !has_engine((enum taf_engine)engine))
		return taf_usage_wrong("hooks", "there is no table for an engine \"%s\"", name);
	o->engine = (enum taf_engine)engine;
	return 0;
}

static int read_options(int argc, char **argv, struct options *o)
{
	int err = 0;

	memset(o, 0, sizeof(*o));
	for (int i = 1; i < argc && !err; i++) {
		if (!strcmp(argv[i], "--json"))
			o->is_json = true;
		else if (!strcmp(argv[i], "--engine"))
			err = take_engine(o, i + 1 < argc ? argv[++i] : NULL);
		else if (!strncmp(argv[i], "--engine=", 9))
			err = take_engine(o, argv[i] + 9);
		else if (argv[i][0] == '-')
			err = taf_usage_wrong("hooks", "%s \"%s\"", taf_option_wrong(argv[i]),
					      argv[i]);
		else
			err = taf_usage_wrong("hooks",
					      "\"%s\" is one word too many; "
					      "for one engine: --engine NAME",
					      argv[i]);
	}
	return err;
}

static void print(const struct taf_catalog_row *r)
{
	printf("%-7s %-8s %-5s %-12s %s\n", taf_engine_name(r->engine), taf_kind_name(r->kind),
	       keep_name(r->kind), way_of(r), r->name);
	printf("%36s%s\n", "", r->doc);
}

static void print_json(struct taf_json *j, const struct taf_catalog_row *r)
{
	taf_json_open(j, NULL, '{');
	taf_json_text(j, "name", r->name);
	taf_json_text(j, "engine", taf_engine_name(r->engine));
	taf_json_text(j, "kind", taf_kind_name(r->kind));
	taf_json_text(j, "keep", keep_name(r->kind));
	taf_json_text(j, "thunk", r->thunk);
	taf_json_text(j, "doc", r->doc);
	taf_json_close(j);
}

int taf_verb_hooks(int argc, char **argv)
{
	struct options o;
	struct taf_json j;
	size_t n;
	const struct taf_catalog_row *rows = taf_catalog(&n);
	int err = read_options(argc, argv, &o);

	if (err)
		return err;
	if (o.is_json) {
		taf_json_init(&j, stdout);
		taf_json_open(&j, NULL, '{');
		taf_json_open(&j, "hooks", '[');
	} else {
		printf("%-7s %-8s %-5s %-12s %s\n", "engine", "kind", "keep", "how", "name");
	}
	for (size_t i = 0; i < n; i++) {
		if (o.engine && rows[i].engine != o.engine)
			continue;
		if (o.is_json)
			print_json(&j, &rows[i]);
		else
			print(&rows[i]);
	}
	if (o.is_json) {
		taf_json_close(&j);
		taf_json_close(&j);
		taf_json_end(&j);
	}
	return TAF_EXIT_OK;
}

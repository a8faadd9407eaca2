/* SPDX-License-Identifier: MIT */
/* doctor_judge.c -- what was seen of a program, turned into findings and a verdict.
 *
 * A block beats a hidden part, a hidden part beats nothing (settle).  Whether
 * the loader would honour a preload at all is the question that `run` asks
 * too, and target.c answers it for both.
 */
#include "doctor.h"

#include <stdio.h>
#include <string.h>

#include "sites_words.h"

/* The block itself, with what can be done about it. */
static void judge_reach(struct taf_doctor *d)
{
	const struct taf_target *t = &d->command.target;
	const char *id = "loader", *advice = "";

	if (t->reach == TAF_REACH_FULL)
		return;
	if (d->is_musl) {
		id = "musl";
		advice = "; libtaffrail.so needs glibc";
	} else if (d->program &&
		   (d->program->bits == 32 || d->program->machine != taf_machine_own())) {
		id = "machine";
		advice = "; libtaffrail.so is 64-bit and for this machine";
	} else if (d->is_static) {
		id = "static";
		advice = ": no loader runs, so nothing can be put in front of it; "
			 "the programs that it starts can be guarded";
	} else if (d->is_setuid || d->is_setgid || d->has_file_caps) {
		id = d->is_setuid ? "setuid" : d->is_setgid ? "setgid" : "file-caps";
		advice = ": the loader drops LD_PRELOAD when a program gains rights; "
			 "start it as the user it becomes";
	}
	taf_findings_add(&d->findings, TAF_SORT_BLOCK, id, "%s%s", t->why ? t->why : "unknown",
			 advice);
}

static void judge_rights(struct taf_doctor *d)
{
	if (d->command.target.reach != TAF_REACH_FULL)
		return;
	if (d->is_setuid || d->is_setgid || d->has_file_caps)
		taf_findings_add(&d->findings, TAF_SORT_NOTE, "rights",
				 "%s, which changes nothing for this user; "
				 "for another user the loader drops LD_PRELOAD",
				 d->is_setuid	? "setuid"
				 : d->is_setgid ? "setgid"
						: "has file capabilities");
	if (d->command.is_env_cleared)
		taf_findings_add(&d->findings, TAF_SORT_HIDDEN, "env-cleared",
				 "env takes LD_PRELOAD away on the way: guarded only with "
				 "propagate: force");
}

static void judge_go(struct taf_doctor *d)
{
	if (!d->program || !d->program->is_go || d->is_static)
		return;
	taf_findings_add(
		&d->findings, TAF_SORT_HIDDEN, "go",
		d->is_cgo ? "Go's own exit, signals and exec go straight to the kernel; "
			    "what it calls through cgo is seen"
			  : "Go without cgo calls no library: it is seen only by `taffrail run`");
}

static const char *lib_path(const struct taf_doctor *d, size_t i)
{
	return i < d->closure.n ? d->closure.libs[i].path : "?";
}

/* Why none of an engine in the program is guarded: "; llama_free is also called ...". */
static void say_why(const struct taf_doctor *d, enum taf_engine engine, char *out, size_t room)
{
	const struct taf_sites_engine *e = &d->sites.engines[engine];

	if (d->command.target.reach != TAF_REACH_FULL || !taf_sites_knows(engine))
		*out = '\0'; /* a block says more; or it is guarded in libraries alone */
	else if (!d->sites.has_symtab)
		snprintf(out, room, "; it is stripped: its call sites cannot be found");
	else if (d->sites.why)
		snprintf(out, room, "; %s", d->sites.why);
	else if (e->why)
		snprintf(out, room, "; %s %s", e->lost->row->name, taf_sites_fate_name(e->lost));
	else
		snprintf(out, room, "; nothing in it calls them by name");
}

static bool is_guarded_inside(const struct taf_doctor *d, const struct taf_sites_engine *e)
{
	return d->command.target.reach == TAF_REACH_FULL && !d->sites.why && !e->why && e->rows;
}

/* An engine in the program itself: what of it `run` can guard, and why not the rest. */
static void judge_own_engine(struct taf_doctor *d, enum taf_engine engine)
{
	const struct taf_sites_engine *e = &d->sites.engines[engine];
	const struct taf_engine_seen *seen = &d->engines[engine];
	const char *name = taf_engine_name(engine);
	char why[320];

	if (is_guarded_inside(d, e)) {
		if (e->lost)
			taf_findings_add(
				&d->findings, TAF_SORT_HIDDEN, "sites-left",
				"not all of %s in the program is guarded (names that are not, "
				"or not everywhere: %u): %s %s",
				name, e->n_lost, e->lost->row->name, taf_sites_fate_name(e->lost));
		return;
	}
	say_why(d, engine, why, sizeof(why));
	taf_findings_add(&d->findings, TAF_SORT_HIDDEN, "own-engine",
			 "%s is linked into the program (%u watched names%s): "
			 "its calls inside the program stay invisible, those it makes into "
			 "libraries do not%s",
			 name, seen->own + seen->hidden,
			 seen->own ? ", exported" : ", in .symtab only", why);
}

/* One route for all engines in the program. */
static void judge_sites(struct taf_doctor *d)
{
	unsigned rows = 0, sites = 0;
	char names[96] = "";

	for (int i = 0; i < TAF_ENGINE_COUNT; i++) {
		const struct taf_sites_engine *e = &d->sites.engines[i];
		size_t n = strlen(names);

		if (!is_guarded_inside(d, e))
			continue;
		rows += e->rows;
		sites += e->sites;
		snprintf(names + n, sizeof(names) - n, "%s%s", n ? ", " : "",
			 taf_engine_name((enum taf_engine)i));
	}
	if (sites)
		taf_findings_add(&d->findings, TAF_SORT_ROUTE, "sites",
				 "%u call sites of %u entry points of %s in the program itself: "
				 "guarded under `taffrail run`, not by a raw preload",
				 sites, rows, names);
}

/* A library of an engine, and no entry that the guard would see of one sort. GPU runtimes
 * load no models, and libraries beside them have a few of their names. */
static bool is_lost(const struct taf_engine_seen *e, unsigned seen)
{
	return e->provider != SIZE_MAX && e->loads && !seen;
}

static void judge_engine(struct taf_doctor *d, enum taf_engine engine)
{
	const struct taf_engine_seen *e = &d->engines[engine];

	if (e->own + e->hidden)
		judge_own_engine(d, engine);
	if (e->provider < d->closure.n && d->closure.libs[e->provider].object.is_symbolic)
		taf_findings_add(&d->findings, TAF_SORT_HIDDEN, "symbolic",
				 "%s is linked -Bsymbolic: its calls to itself stay invisible, "
				 "calls into it do not",
				 lib_path(d, e->provider));
	if (is_lost(e, e->submits_seen))
		taf_findings_add(&d->findings, TAF_SORT_HIDDEN, "no-submit",
				 "%s has none of the computing entries that are watched: "
				 "its generations stay invisible",
				 lib_path(d, e->provider));
	if (is_lost(e, e->loads_seen))
		taf_findings_add(&d->findings, TAF_SORT_HIDDEN, "no-load",
				 "%s has none of the load entries that are watched: "
				 "its loads stay invisible",
				 lib_path(d, e->provider));
}

static void judge_later(struct taf_doctor *d)
{
	const struct taf_later *l = &d->later;

	if (l->n)
		taf_findings_add(&d->findings, TAF_SORT_HIDDEN, "later",
				 "%s spells %s%s as no version does that taffrail knows: calls of "
				 "that are not seen (%s)",
				 lib_path(d, l->where), l->plain, l->n > 1 ? " and others" : "",
				 l->name);
	if (d->importable[0])
		taf_findings_add(&d->findings, TAF_SORT_NOTE, "importable",
				 "%s is what it would import: looked at as one of its libraries",
				 d->importable);
}

static void judge_routes(struct taf_doctor *d)
{
	unsigned names = 0;
	bool has_runtime = d->words != TAF_ENGINE_NONE;

	for (int i = 1; i < TAF_ENGINE_COUNT; i++) {
		const struct taf_engine_seen *e = &d->engines[i];

		names += e->imported;
		has_runtime |=
			i != TAF_ENGINE_LIBC && e->imported + e->defined + e->own + e->hidden;
	}
	if (names)
		taf_findings_add(&d->findings, TAF_SORT_ROUTE, "export",
				 "%u watched names are called through the PLT or GOT", names);
	if (d->dlsyms != SIZE_MAX)
		taf_findings_add(&d->findings, TAF_SORT_ROUTE, "dlsym",
				 "%s asks for symbols by name", lib_path(d, d->dlsyms));
	if (d->dlopens != SIZE_MAX)
		taf_findings_add(
			&d->findings, TAF_SORT_ROUTE, "got",
			"%s opens libraries at run time: their GOT is patched as they come "
			"(RTLD_LOCAL, RTLD_DEEPBIND, dlmopen)",
			lib_path(d, d->dlopens));
	if (!has_runtime && d->dlopens != SIZE_MAX)
		taf_findings_add(&d->findings, TAF_SORT_NOTE, "run-time",
				 "no engine among its libraries; if it loads engines at run time, "
				 "the dlsym and dlopen routes cover it");
	d->is_idle = !has_runtime && d->dlopens == SIZE_MAX;
	if (d->is_idle)
		taf_findings_add(&d->findings, TAF_SORT_NOTE, "no-engine",
				 "no engine among its libraries and it opens none: the guard stays "
				 "asleep there");
	if (d->words != TAF_ENGINE_NONE && !d->engines[d->words].own)
		taf_findings_add(&d->findings, TAF_SORT_HIDDEN, "stripped-engine",
				 "by its words %s is built into it, and it is stripped: nothing of "
				 "that is seen; a build that keeps its symbols would be",
				 taf_sites_words_name(d->words));
	else if (!has_runtime && !d->sites.has_symtab)
		taf_findings_add(&d->findings, TAF_SORT_NOTE, "stripped",
				 "it is stripped: an engine that was built into it would be seen "
				 "neither here nor by the guard");
}

static void judge_libraries(struct taf_doctor *d)
{
	const struct taf_closure *c = &d->closure;
	const struct taf_engine_seen *libc = &d->engines[TAF_ENGINE_LIBC];

	for (size_t i = 0; i < c->n_lost; i++)
		taf_findings_add(&d->findings, TAF_SORT_HIDDEN, "lost",
				 "%s is not found (%s needs it): the program would not start here",
				 c->lost[i].name, lib_path(d, c->lost[i].by));
	if (c->is_cut)
		taf_findings_add(&d->findings, TAF_SORT_HIDDEN, "cut",
				 "more than %d libraries: the others were not looked at",
				 TAF_CLOSURE_MAX);
	if (libc->own)
		taf_findings_add(&d->findings, TAF_SORT_HIDDEN, "own-libc",
				 "the program defines %u of the C library's watched names itself",
				 libc->own);
	for (size_t i = 1; i < c->n; i++)
		if (c->libs[i].object.soname &&
		    !strncmp(c->libs[i].object.soname, "libasan.so", 10))
			taf_findings_add(
				&d->findings, TAF_SORT_NOTE, "asan",
				"gcc's libasan must be the first library: set ASAN_OPTIONS="
				"verify_asan_link_order=0");
}

static void settle(struct taf_doctor *d)
{
	if (taf_findings_count(&d->findings, TAF_SORT_BLOCK))
		d->verdict = TAF_UNGUARDED;
	else if (taf_findings_count(&d->findings, TAF_SORT_HIDDEN))
		d->verdict = TAF_PARTLY;
	else
		d->verdict = TAF_GUARDED;
}

/* bash, dash, zsh: of a script in its language the shell itself says nothing. */
static bool is_shell(const char *path)
{
	size_t n = strlen(path);

	return n >= 2 && !strcmp(path + n - 2, "sh");
}

static void judge_starter(struct taf_doctor *d)
{
	if (d->command.is_script && is_shell(d->command.target.program))
		taf_findings_add(&d->findings, TAF_SORT_NOTE, "script",
				 "all this is about the shell that runs the script, not about what "
				 "the script starts: look at that (where the script is pyenv's, "
				 "`pyenv which python3` names it)");
	else if (d->is_starter)
		taf_findings_add(&d->findings, TAF_SORT_NOTE, "starter",
				 "it can start other programs: look at these as well");
}

void taf_doctor_judge(struct taf_doctor *d)
{
	judge_reach(d);
	judge_rights(d);
	judge_go(d);
	for (int i = TAF_ENGINE_LIBC + 1; i < TAF_ENGINE_COUNT; i++)
		judge_engine(d, (enum taf_engine)i);
	judge_sites(d);
	judge_later(d);
	if (d->command.target.reach == TAF_REACH_FULL) {
		judge_libraries(d);
		judge_routes(d);
	}
	judge_starter(d);
	settle(d);
}

static bool misses_sort(const struct taf_doctor *d, char *why, size_t room)
{
	for (int i = TAF_ENGINE_LIBC + 1; i < TAF_ENGINE_COUNT; i++) {
		const struct taf_engine_seen *e = &d->engines[i];
		bool no_load = is_lost(e, e->loads_seen);

		if (!no_load && !is_lost(e, e->submits_seen))
			continue;
		snprintf(why, room, "%s has no entry that %s and is watched",
			 lib_path(d, e->provider), no_load ? "loads a model" : "computes");
		return true;
	}
	return false;
}

bool taf_doctor_misses(const struct taf_doctor *d, char *why, size_t room)
{
	if (taf_sites_missed(&d->sites, why, room))
		return true;
	if (d->words != TAF_ENGINE_NONE) {
		snprintf(why, room,
			 "it is stripped, and by its words %s is built into it: nothing of that "
			 "would be seen; a build that keeps its symbols would be",
			 taf_sites_words_name(d->words));
		return true;
	}
	if (d->later.n) {
		snprintf(why, room,
			 "%s in %s is spelled as no version does that taffrail knows, and calls of "
			 "it would not be seen",
			 d->later.plain, lib_path(d, d->later.where));
		return true;
	}
	return misses_sort(d, why, room);
}

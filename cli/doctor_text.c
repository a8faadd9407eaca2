/* SPDX-License-Identifier: MIT */
/* doctor_text.c -- prints what doctor found, for people and for programs.
 *
 * Every text that came from a file or a name passes taf_show_text or
 * taf_json_text on its way out.
 */
#include "doctor.h"

#include <gelf.h>
#include <stdio.h>
#include <string.h>

#include "jsonout.h"
#include "role_cli.h"
#include "show.h"

#define LABEL_WIDTH 10
#define LINE_MAX_BYTES 4096

static const char *const relro_names[] = { "none", "partial", "full" };
static const char *const verdict_ids[] = { "guarded", "partly", "unguarded" };
static const char *const verdict_texts[] = { "guarded", "guarded in part", "cannot be guarded" };
static const char *const colours[] = { "\033[32m", "\033[33m", "\033[31m" };

static void label(const char *name)
{
	printf("  %-*s ", LABEL_WIDTH, name);
}

static void line(const char *name, const char *text)
{
	label(name);
	taf_show_text(stdout, text, LINE_MAX_BYTES);
	putchar('\n');
}

static void coloured(int which, const char *text)
{
	bool has_colour = taf_show_has_colour(stdout);

	printf("%s%s%s", has_colour ? colours[which] : "", text, has_colour ? "\033[0m" : "");
}

static void print_sort(const struct taf_findings *f, enum taf_sort sort, const char *name)
{
	for (size_t i = 0; i < f->n; i++) {
		if (f->all[i].sort != sort)
			continue;
		line(name, f->all[i].text);
		name = "";
	}
}

static const char *program_type(const struct taf_doctor *d)
{
	if (d->program->type == ET_EXEC)
		return d->is_static ? "static" : "fixed address";
	if (d->is_static)
		return d->program->is_pie ? "static-pie" : "loader or shared object";
	return "PIE";
}

static void print_program(const struct taf_doctor *d)
{
	const struct taf_object *o = d->program;

	label("program");
	printf("%d-bit %s, %s, RELRO %s%s%s%s%s%s", o->bits, taf_machine_name(o->machine),
	       program_type(d), relro_names[o->relro], o->is_now ? ", binds at start" : "",
	       d->is_setuid ? ", setuid" : "", d->is_setgid ? ", setgid" : "",
	       d->has_file_caps ? ", file capabilities" : "",
	       !o->is_go   ? ""
	       : d->is_cgo ? ", Go with cgo"
			   : ", Go without cgo");
	putchar('\n');
	line("loader", o->interp[0] ? o->interp : "none");
	label("libraries");
	printf("%zu%s\n", d->closure.n - 1, d->closure.n_lost ? ", others are missing" : "");
}

/* "18 in libraries (the first: /usr/lib/libmlx.so), 2 imported": where names of an engine are. */
static void print_names(const struct taf_doctor *d, const struct taf_engine_seen *e)
{
	const char *comma = "";

	if (e->defined) {
		printf("%u in libraries", e->defined);
		comma = ", ";
	}
	if (e->defined && e->provider < d->closure.n) {
		printf(" (the first: ");
		taf_show_text(stdout, d->closure.libs[e->provider].path, LINE_MAX_BYTES);
		putchar(')');
	}
	if (e->own + e->hidden) {
		printf("%s%u in the program", comma, e->own + e->hidden);
		comma = ", ";
	}
	if (e->imported)
		printf("%s%u imported", comma, e->imported);
}

static void print_engines(const struct taf_doctor *d)
{
	const char *name = "engines";

	for (int i = TAF_ENGINE_LIBC + 1; i < TAF_ENGINE_COUNT; i++) {
		const struct taf_engine_seen *e = &d->engines[i];

		if (!(e->imported + e->defined + e->own + e->hidden))
			continue;
		label(name);
		printf("%s: of %u watched names of all versions ",
		       taf_engine_name((enum taf_engine)i), e->rows);
		print_names(d, e);
		putchar('\n');
		name = "";
	}
}

static void print_verdict(const struct taf_doctor *d)
{
	enum taf_sort sort = d->verdict == TAF_UNGUARDED ? TAF_SORT_BLOCK : TAF_SORT_HIDDEN;
	const char *between = ": ";

	label("verdict");
	coloured((int)d->verdict, d->verdict == TAF_GUARDED && d->is_idle
					  ? "nothing to guard"
					  : verdict_texts[d->verdict]);
	for (size_t i = 0; d->verdict != TAF_GUARDED && i < d->findings.n; i++) {
		if (d->findings.all[i].sort != sort)
			continue;
		fputs(between, stdout);
		taf_show_text(stdout, d->findings.all[i].text, LINE_MAX_BYTES);
		between = "; ";
	}
	putchar('\n');
}

void taf_doctor_print(const struct taf_doctor *d)
{
	taf_show_text(stdout, d->command.target.program, LINE_MAX_BYTES);
	putchar('\n');
	for (size_t i = 0; i < d->command.n_via; i++)
		line(i ? "" : "by way of", d->command.via[i]);
	if (d->program) {
		print_program(d);
		print_engines(d);
	}
	line("role", taf_role_guess_text(d->role));
	taf_doctor_profile_print(&d->profile);
	print_sort(&d->findings, TAF_SORT_ROUTE, "routes");
	print_sort(&d->findings, TAF_SORT_HIDDEN, "invisible");
	print_sort(&d->findings, TAF_SORT_NOTE, "note");
	print_verdict(d);
}

void taf_findings_put(struct taf_json *j, const struct taf_findings *f)
{
	taf_json_open(j, "findings", '[');
	for (size_t i = 0; i < f->n; i++) {
		taf_json_open(j, NULL, '{');
		taf_json_text(j, "sort", taf_sort_name(f->all[i].sort));
		taf_json_text(j, "id", f->all[i].id);
		taf_json_text(j, "text", f->all[i].text);
		taf_json_close(j);
	}
	taf_json_close(j);
}

static void json_elf(struct taf_json *j, const struct taf_doctor *d)
{
	const struct taf_object *o = d->program;

	if (!o) {
		taf_json_null(j, "elf");
		return;
	}
	taf_json_open(j, "elf", '{');
	taf_json_u64(j, "bits", (uint64_t)o->bits);
	taf_json_text(j, "machine", taf_machine_name(o->machine));
	taf_json_text(j, "type", program_type(d));
	taf_json_text(j, "loader", o->interp[0] ? o->interp : NULL);
	taf_json_bool(j, "static", d->is_static);
	taf_json_bool(j, "musl", d->is_musl);
	taf_json_bool(j, "setuid", d->is_setuid);
	taf_json_bool(j, "setgid", d->is_setgid);
	taf_json_bool(j, "file_caps", d->has_file_caps);
	taf_json_bool(j, "go", o->is_go);
	taf_json_bool(j, "cgo", d->is_cgo);
	taf_json_text(j, "relro", relro_names[o->relro]);
	taf_json_bool(j, "bind_now", o->is_now);
	taf_json_close(j);
}

static void json_engines(struct taf_json *j, const struct taf_doctor *d)
{
	taf_json_open(j, "engines", '[');
	for (int i = TAF_ENGINE_LIBC + 1; i < TAF_ENGINE_COUNT; i++) {
		const struct taf_engine_seen *e = &d->engines[i];

		if (!(e->imported + e->defined + e->own + e->hidden))
			continue;
		taf_json_open(j, NULL, '{');
		taf_json_text(j, "engine", taf_engine_name((enum taf_engine)i));
		taf_json_u64(j, "watched", e->rows);
		taf_json_u64(j, "imported", e->imported);
		taf_json_u64(j, "in_libraries", e->defined);
		taf_json_u64(j, "in_program", e->own + e->hidden);
		taf_json_text(j, "library",
			      e->provider < d->closure.n ? d->closure.libs[e->provider].path
							 : NULL);
		taf_json_close(j);
	}
	taf_json_close(j);
}

static void json_libraries(struct taf_json *j, const struct taf_doctor *d)
{
	taf_json_open(j, "libraries", '[');
	for (size_t i = 1; i < d->closure.n; i++)
		taf_json_text(j, NULL, d->closure.libs[i].path);
	taf_json_close(j);
	taf_json_open(j, "missing", '[');
	for (size_t i = 0; i < d->closure.n_lost; i++)
		taf_json_text(j, NULL, d->closure.lost[i].name);
	taf_json_close(j);
}

static void json_texts(struct taf_json *j, const char *key, char *const *texts, size_t n)
{
	taf_json_open(j, key, '[');
	for (size_t i = 0; i < n; i++)
		taf_json_text(j, NULL, texts[i]);
	taf_json_close(j);
}

void taf_doctor_print_json(const struct taf_doctor *d, int argc, char **argv)
{
	struct taf_json j;

	taf_json_init(&j, stdout);
	taf_json_open(&j, NULL, '{');
	json_texts(&j, "command", argv, (size_t)argc);
	taf_json_text(&j, "program", d->command.target.program);
	json_texts(&j, "via", d->command.via, d->command.n_via);
	taf_json_text(&j, "verdict", verdict_ids[d->verdict]);
	taf_json_bool(&j, "hookable", d->verdict != TAF_UNGUARDED);
	taf_json_text(&j, "role", taf_role_guess_name(d->role));
	taf_doctor_profile_put(&j, &d->profile);
	json_elf(&j, d);
	taf_json_open(&j, "routes", '[');
	for (size_t i = 0; i < d->findings.n; i++)
		if (d->findings.all[i].sort == TAF_SORT_ROUTE)
			taf_json_text(&j, NULL, d->findings.all[i].id);
	taf_json_close(&j);
	json_engines(&j, d);
	taf_findings_put(&j, &d->findings);
	json_libraries(&j, d);
	taf_json_close(&j);
	taf_json_end(&j);
}

static int host_verdict(const struct taf_findings *f)
{
	if (taf_findings_count(f, TAF_SORT_BAD))
		return 2;
	return taf_findings_count(f, TAF_SORT_WARN) ? 1 : 0;
}

static const char *const host_ids[] = { "ready", "warnings", "unready" };

void taf_host_print(const struct taf_findings *f)
{
	static const char *const texts[] = { "ready", "ready, with warnings", "cannot guard here" };
	int verdict = host_verdict(f);

	puts("this machine");
	for (size_t i = 0; i < f->n; i++) {
		const struct taf_finding *one = &f->all[i];
		int colour = one->sort == TAF_SORT_BAD ? 2 : one->sort == TAF_SORT_WARN ? 1 : 0;

		printf("  ");
		if (one->sort == TAF_SORT_NOTE)
			printf("%s", taf_sort_name(one->sort));
		else
			coloured(colour, taf_sort_name(one->sort));
		printf("%*s %-12s ", (int)(4 - strlen(taf_sort_name(one->sort))), "", one->id);
		taf_show_text(stdout, one->text, LINE_MAX_BYTES);
		putchar('\n');
	}
	label("verdict");
	coloured(verdict, texts[verdict]);
	putchar('\n');
}

void taf_host_print_json(const struct taf_findings *f)
{
	int verdict = host_verdict(f);
	struct taf_json j;

	taf_json_init(&j, stdout);
	taf_json_open(&j, NULL, '{');
	taf_json_text(&j, "verdict", host_ids[verdict]);
	taf_json_bool(&j, "ready", verdict != 2);
	taf_findings_put(&j, f);
	taf_json_close(&j);
	taf_json_end(&j);
}

/* SPDX-License-Identifier: MIT */
/* report_trace.c -- where the time of requests went, of generations that `trace` has
 * measured (policy/trace.h): a small table for each model.
 *
 * The first generation on a model warms it up and stands apart.  Tracing makes the device
 * wait, so what a traced generation took for a token stands beside the median of those
 * that went untraced: of this session, or of earlier ones on the same model.  A record
 * of a GPU runtime knows no tokens: there it is submits.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../policy/text.h"
#include "../policy/trace.h"
#include "report.h"
#include "show.h"

#define MODELS_MAX 8
#define RATES_MAX 512
#define EARLIER_MAX 16 /* sessions that are looked through */
#define HIGH_PCT 50 /* of the wall time in waits */

/* Sums of the records of one sort. */
struct figures {
	uint64_t n, wall_us, host_us, wait_us, tokens, submits, syncs, prompt_submits, prompt_syncs;
	uint64_t part_us[TAF_PARTS];
};

/* Nanoseconds for a token, or a submit, one value a generation. */
struct rates {
	uint64_t ns[RATES_MAX];
	size_t n;
};

/* What a table is about. */
struct subject {
	char model[TAF_LABEL_ROOM];
	int engine;
};

struct one {
	struct subject of;
	uint64_t generations;
	bool has_tokens, is_earlier; /* the untraced ones are of earlier sessions */
	uint64_t tokens; /* by the records, which may count those of the prompt */
	struct figures rest, first;
	struct rates traced, untraced;
};

static uint64_t member(const struct taf_crumb_line *line, const char *name)
{
	uint64_t v;

	taf_crumb_member_u64(line, TAF_KEY_TRACE, name, &v);
	return v;
}

static void add(struct figures *f, const struct taf_crumb_line *line)
{
	char name[24];

	f->n++;
	f->wall_us += member(line, "wall_us");
	f->host_us += member(line, "host_us");
	f->wait_us += member(line, "wait_us");
	f->tokens += member(line, "tokens");
	f->submits += member(line, "submits");
	f->syncs += member(line, "syncs");
	f->prompt_submits += member(line, "prompt_submits");
	f->prompt_syncs += member(line, "prompt_syncs");
	for (int i = 0; i < TAF_PARTS; i++) {
		snprintf(name, sizeof(name), "%s_us", taf_part_name((enum taf_part)i));
		f->part_us[i] += member(line, name);
	}
}

static void add_rate(struct rates *r, const struct taf_crumb_line *line, bool has_tokens)
{
	uint64_t us, units = 0;

	taf_crumb_u64(line, has_tokens ? TAF_KEY_TOKENS : TAF_KEY_SUBMITS, &units);
	if (r->n < RATES_MAX && units && taf_crumb_us(line, TAF_KEY_MS, &us))
		r->ns[r->n++] = us * 1000 / units;
}

static int by_size(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static uint64_t median(struct rates *r)
{
	if (!r->n)
		return 0;
	qsort(r->ns, r->n, sizeof(r->ns[0]), by_size);
	return r->n & 1 ? r->ns[r->n / 2] : (r->ns[r->n / 2 - 1] + r->ns[r->n / 2]) / 2;
}

/* The end of a generation, of whatever model. */
static bool is_end(const struct taf_past *p, struct taf_crumb_line *line)
{
	return p->kind == TAF_INFER && p->phase == TAF_END && taf_past_line(p, line);
}

static struct subject subject_of(const struct taf_past *p, const struct taf_crumb_line *line)
{
	struct subject s = { .engine = p->engine };

	taf_crumb_text(line, TAF_KEY_MODEL, s.model, sizeof(s.model));
	return s;
}

static bool is_of(const struct subject *a, const struct taf_past *p,
		  const struct taf_crumb_line *line)
{
	struct subject b = subject_of(p, line);

	return a->engine == b.engine && !strcmp(a->model, b.model);
}

/* Untraced generations of another session; not the first one, which warmed it up. */
static void add_untraced(struct one *o, const struct taf_trail *t)
{
	struct taf_crumb_line line;
	bool has_any = false;

	for (size_t i = 0; i < t->n_past; i++) {
		if (!is_end(&t->past[i], &line) || !is_of(&o->of, &t->past[i], &line))
			continue;
		if (has_any && !taf_crumb_has(&line, TAF_KEY_TRACE))
			add_rate(&o->untraced, &line, o->has_tokens);
		has_any = true;
	}
}

static void take_earlier(struct one *o, const struct taf_page *page)
{
	struct taf_trail *list = page->trails->list;
	unsigned seen = 0;

	for (size_t i = (size_t)(page->trail - list); i-- > 0 && seen < EARLIER_MAX;) {
		bool is_loaded = list[i].past != NULL;

		if (!taf_trail_is_guest(&list[i]))
			continue;
		seen++;
		if (is_loaded || !taf_trail_load(&list[i], page->trails->dir))
			add_untraced(o, &list[i]);
		if (!is_loaded)
			taf_trail_unload(&list[i]);
	}
	o->is_earlier = o->untraced.n != 0;
}

/* Whether it computes tokens at all: a runtime does not, nor an engine of whole answers. */
static bool computes_tokens(const struct one *o, const struct taf_trail *t)
{
	struct taf_crumb_line line;
	uint64_t tokens;

	for (size_t i = 0; i < t->n_past; i++)
		if (is_end(&t->past[i], &line) && is_of(&o->of, &t->past[i], &line) &&
		    taf_crumb_u64(&line, TAF_KEY_TOKENS, &tokens) && tokens)
			return true;
	return false;
}

static void gather(struct one *o, const struct taf_page *page)
{
	const struct taf_trail *t = page->trail;
	struct taf_crumb_line line;

	o->has_tokens = computes_tokens(o, t);
	for (size_t i = 0; i < t->n_past; i++) {
		uint64_t tokens;
		bool is_first;

		if (!is_end(&t->past[i], &line) || !is_of(&o->of, &t->past[i], &line))
			continue;
		o->generations++;
		if (!taf_crumb_has(&line, TAF_KEY_TRACE)) {
			if (o->generations > 1)
				add_rate(&o->untraced, &line, o->has_tokens);
			continue;
		}
		is_first = member(&line, "first") != 0;
		if (!is_first && taf_crumb_u64(&line, TAF_KEY_TOKENS, &tokens))
			o->tokens += tokens;
		add(is_first ? &o->first : &o->rest, &line);
		if (!is_first)
			add_rate(&o->traced, &line, o->has_tokens);
	}
	if (!o->untraced.n)
		take_earlier(o, page);
}

/* The i-th one of which a generation was traced. False: there are no more. */
static bool subject_at(const struct taf_trail *t, size_t i, struct one *o)
{
	struct subject seen[MODELS_MAX];
	struct taf_crumb_line line;
	size_t n = 0, k;

	memset(o, 0, sizeof(*o));
	for (size_t at = 0; at < t->n_past && n <= i && n < MODELS_MAX; at++) {
		const struct taf_past *p = &t->past[at];

		if (!is_end(p, &line) || !taf_crumb_has(&line, TAF_KEY_TRACE))
			continue;
		for (k = 0; k < n && !is_of(&seen[k], p, &line); k++)
			;
		if (k == n)
			seen[n++] = subject_of(p, &line);
	}
	if (n <= i)
		return false;
	o->of = seen[i];
	return true;
}

/* ---- for people -------------------------------------------------------------------- */

static double share(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static double per(uint64_t n, uint64_t of)
{
	return of ? (double)n / (double)of : 0;
}

static const char *unit(const struct one *o)
{
	return o->has_tokens ? "token" : "submit";
}

static uint64_t units(const struct one *o, const struct figures *f)
{
	return o->has_tokens ? f->tokens : f->submits;
}

static void print_row(FILE *out, const struct one *o, const char *name, uint64_t us)
{
	const struct figures *f = &o->rest;

	taf_report_label(out, "");
	fprintf(out, "%-12s %12.3f %12.3f %7.1f%%\n", name, per(us, f->n) / 1000,
		per(us, units(o, f)) / 1000, share(us, f->wall_us));
}

static void print_table(FILE *out, const struct one *o)
{
	const struct figures *f = &o->rest;
	uint64_t other = f->wall_us;
	char head[32];

	taf_report_label(out, "");
	snprintf(head, sizeof(head), "ms/%s", unit(o));
	fprintf(out, "%-12s %12s %12s %8s\n", "", "ms/request", head, "share");
	for (int i = 0; i < TAF_PARTS; i++) {
		if (f->part_us[i])
			print_row(out, o, taf_part_name((enum taf_part)i), f->part_us[i]);
		other -= f->part_us[i] < other ? f->part_us[i] : other;
	}
	print_row(out, o, "the program", other);
	print_row(out, o, "wall", f->wall_us);
}

static void print_ratios(FILE *out, const struct one *o)
{
	const struct figures *f = &o->rest;
	uint64_t n = units(o, f);

	taf_report_label(out, "");
	fprintf(out, "host %.1f%%, waiting for the device %.1f%%; ", share(f->host_us, f->wall_us),
		share(f->wait_us, f->wall_us));
	if (o->has_tokens)
		fprintf(out, "%.1f submits and %.1f synchronizes a token\n", per(f->submits, n),
			per(f->syncs, n));
	else
		fprintf(out, "%.3f synchronizes a submit\n", per(f->syncs, n));
	if (!o->has_tokens || !n || f->syncs < n || share(f->wait_us, f->wall_us) < HIGH_PCT)
		return;
	taf_report_label(out, "");
	fprintf(out, "sync-bound: %s waits %.1f times for a token, %.1f%% of the wall time\n",
		taf_engine_name((enum taf_engine)o->of.engine), per(f->syncs, n),
		share(f->wait_us, f->wall_us));
}

static void print_first(FILE *out, const struct one *o)
{
	const struct figures *f = &o->first;
	const char *before = ": ";

	taf_report_label(out, "");
	fprintf(out, "first        %12.3f ms, apart", per(f->wall_us, f->n) / 1000);
	for (int i = 0; i < TAF_PARTS; i++) {
		if (!f->part_us[i])
			continue;
		fprintf(out, "%s%s %.3f", before, taf_part_name((enum taf_part)i),
			per(f->part_us[i], f->n) / 1000);
		before = ", ";
	}
	fputc('\n', out);
}

/* Tracing serialises: what it costs, so that nobody takes its total for the real one. */
static void print_untraced(FILE *out, struct one *o)
{
	uint64_t ns = median(&o->untraced), traced = median(&o->traced);

	taf_report_label(out, "");
	if (!o->untraced.n) {
		fputs("untraced     none to compare with yet\n", out);
		return;
	}
	fprintf(out, "untraced     %12.3f ms a %s%s, median of %zu%s", (double)ns / 1e6, unit(o),
		o->tokens > o->rest.tokens ? " with the prompt's" : "", o->untraced.n,
		o->is_earlier ? " in earlier sessions" : "");
	if (traced)
		fprintf(out, "; traced %.3f (%+.0f%%)", (double)traced / 1e6,
			ns ? 100.0 * ((double)traced - (double)ns) / (double)ns : 0);
	fputc('\n', out);
}

void taf_report_trace(FILE *out, const struct taf_page *page)
{
	struct one o;

	for (size_t i = 0; subject_at(page->trail, i, &o); i++) {
		gather(&o, page);
		taf_report_label(out, "trace");
		taf_show_text(out,
			      o.of.model[0] ? o.of.model
					    : taf_engine_name((enum taf_engine)o.of.engine),
			      100);
		fprintf(out, ", %" PRIu64 " of %" PRIu64 " %ss traced\n", o.rest.n + o.first.n,
			o.generations, taf_story_is_bare(page->story) ? "burst" : "generation");
		if (o.rest.n) {
			print_table(out, &o);
			print_ratios(out, &o);
		}
		if (o.first.n)
			print_first(out, &o);
		print_untraced(out, &o);
	}
}

/* ---- for programs ------------------------------------------------------------------- */

static void put_figures(struct taf_json *j, const char *key, const struct figures *f)
{
	char name[24];

	if (!f->n) {
		taf_json_null(j, key);
		return;
	}
	taf_json_open(j, key, '{');
	taf_json_u64(j, "generations", f->n);
	taf_json_u64(j, "wall_us", f->wall_us);
	taf_json_u64(j, "host_us", f->host_us);
	taf_json_u64(j, "wait_us", f->wait_us);
	for (int i = 0; i < TAF_PARTS; i++) {
		snprintf(name, sizeof(name), "%s_us", taf_part_name((enum taf_part)i));
		taf_json_u64(j, name, f->part_us[i]);
	}
	taf_json_u64(j, "tokens", f->tokens);
	taf_json_u64(j, "submits", f->submits);
	taf_json_u64(j, "syncs", f->syncs);
	taf_json_u64(j, "prompt_submits", f->prompt_submits);
	taf_json_u64(j, "prompt_syncs", f->prompt_syncs);
	taf_json_close(j);
}

static void put_median(struct taf_json *j, const char *key, struct rates *r, const char *from)
{
	if (!r->n) {
		taf_json_null(j, key);
		return;
	}
	taf_json_open(j, key, '{');
	taf_json_u64(j, "generations", r->n);
	taf_json_u64(j, "median_ns", median(r));
	taf_json_text(j, "from", from);
	taf_json_close(j);
}

void taf_report_trace_json(struct taf_json *j, const struct taf_page *page)
{
	struct one o;

	taf_json_open(j, "trace", '[');
	for (size_t i = 0; subject_at(page->trail, i, &o); i++) {
		gather(&o, page);
		taf_json_open(j, NULL, '{');
		taf_json_text(j, "model", o.of.model[0] ? o.of.model : NULL);
		taf_json_text(j, "engine", taf_engine_name((enum taf_engine)o.of.engine));
		taf_json_u64(j, "generations", o.generations);
		put_figures(j, "first", &o.first);
		put_figures(j, "rest", &o.rest);
		taf_json_text(j, "per", unit(&o));
		put_median(j, "traced", &o.traced, "session");
		put_median(j, "untraced", &o.untraced, o.is_earlier ? "earlier" : "session");
		taf_json_close(j);
	}
	taf_json_close(j);
}

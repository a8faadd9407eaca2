/* SPDX-License-Identifier: MIT */
/* report_devices.c -- the devices of a session: what each is called, and what was held of it,
 * from the ring while that is there, else from the notes that it left when it ended in order. */
#include <string.h>

#include "../policy/fault.h"
#include "../shim/live.h"
#include "report.h"
#include "show.h"

#define DEVICES_MAX 64

/* One device of one runtime. */
struct device {
	enum taf_engine engine;
	uint64_t number, live, pieces, peak, largest, pinned, graphs;
	uint64_t total; /* of its memory; 0: unknown */
	char name[96]; /* "": unknown */
	bool is_held; /* something of it was */
};

struct devices {
	struct device of[DEVICES_MAX];
	size_t n;
};

static struct device of_ring(const struct taf_ring_holding *h)
{
	return (struct device){ .engine = taf_engine_of_api((enum taf_api)h->api),
				.number = h->device,
				.is_held = true,
				.live = h->bytes[TAF_AT_DEVICE] + h->bytes[TAF_AT_MANAGED],
				.pieces = h->pieces[TAF_AT_DEVICE] + h->pieces[TAF_AT_MANAGED],
				.peak = h->peak,
				.largest = h->largest,
				.pinned = h->bytes[TAF_AT_HOST],
				.graphs = h->pieces[TAF_AT_GRAPH] };
}

static bool is_note(const struct taf_past *p, const char *wanted, struct taf_crumb_line *line)
{
	char class[16];

	return p->kind == TAF_NOTE && taf_past_line(p, line) &&
	       taf_crumb_text(line, TAF_KEY_CLASS, class, sizeof(class)) && !strcmp(class, wanted);
}

static struct device of_note(const struct taf_crumb_line *line)
{
	struct device d = { .engine = (enum taf_engine)taf_crumb_engine(line), .is_held = true };

	taf_crumb_u64(line, TAF_KEY_DEVICE, &d.number);
	taf_crumb_u64(line, TAF_KEY_BYTES, &d.live);
	taf_crumb_u64(line, TAF_KEY_PIECES, &d.pieces);
	taf_crumb_u64(line, TAF_KEY_PEAK_BYTES, &d.peak);
	taf_crumb_u64(line, TAF_KEY_LARGEST, &d.largest);
	taf_crumb_u64(line, TAF_KEY_PINNED, &d.pinned);
	taf_crumb_u64(line, TAF_KEY_GRAPHS, &d.graphs);
	return d;
}

static void add(struct devices *all, const struct device *d)
{
	if (all->n < DEVICES_MAX)
		all->of[all->n++] = *d;
}

/* What it is called, which is told when it is used first. */
static void take_name(struct devices *all, const struct taf_crumb_line *line)
{
	struct device d = { .engine = (enum taf_engine)taf_crumb_engine(line) }, *known = NULL;

	taf_crumb_u64(line, TAF_KEY_DEVICE, &d.number);
	for (size_t i = 0; i < all->n && !known; i++)
		if (taf_api_of(all->of[i].engine) == taf_api_of(d.engine) &&
		    all->of[i].number == d.number)
			known = &all->of[i];
	if (!known && all->n == DEVICES_MAX)
		return;
	if (!known) {
		add(all, &d);
		known = &all->of[all->n - 1];
	}
	taf_crumb_text(line, TAF_KEY_NAME, known->name, sizeof(known->name));
	taf_crumb_u64(line, TAF_KEY_TOTAL, &known->total);
}

static void find(const struct taf_page *page, struct devices *all)
{
	const struct taf_trail *t = page->trail;
	struct taf_crumb_line line;
	struct device d;

	all->n = 0;
	for (size_t i = 0; i < page->story->n_devices; i++) {
		d = of_ring(&page->story->devices[i]);
		add(all, &d);
	}
	for (size_t i = 0; i < t->n_past && !page->story->n_devices; i++)
		if (is_note(&t->past[i], "device", &line)) {
			d = of_note(&line);
			add(all, &d);
		}
	for (size_t i = 0; i < t->n_past; i++)
		if (is_note(&t->past[i], "device_name", &line))
			take_name(all, &line);
}

static void print_bytes(FILE *out, const char *before, uint64_t n, const char *after)
{
	char text[32];

	taf_show_bytes(text, sizeof(text), n);
	fprintf(out, "%s%s%s", before, text, after);
}

/* "cuda 0 (NVIDIA H100 80GB HBM3, 79.2 GiB)" */
static void print_name(FILE *out, const struct device *d)
{
	fprintf(out, "%s %llu", taf_engine_name(d->engine), (unsigned long long)d->number);
	if (!d->name[0])
		return;
	fputs(" (", out);
	taf_show_text(out, d->name, sizeof(d->name));
	if (d->total)
		print_bytes(out, ", ", d->total, "");
	fputc(')', out);
}

static void print_held(FILE *out, const struct device *d)
{
	print_bytes(out, ": ", d->live, " held");
	fprintf(out, " in %llu piece%s", (unsigned long long)d->pieces, d->pieces == 1 ? "" : "s");
	print_bytes(out, ", at most ", d->peak, "");
	print_bytes(out, ", biggest ", d->largest, "");
	if (d->pinned)
		print_bytes(out, ", ", d->pinned, " pinned on the host");
	if (d->graphs)
		fprintf(out, ", %llu graph%s", (unsigned long long)d->graphs,
			d->graphs == 1 ? "" : "s");
}

void taf_report_devices(FILE *out, const struct taf_page *page)
{
	struct devices all;

	find(page, &all);
	for (size_t i = 0; i < all.n; i++) {
		taf_report_label(out, i ? "" : "device");
		print_name(out, &all.of[i]);
		if (all.of[i].is_held)
			print_held(out, &all.of[i]);
		fputc('\n', out);
	}
}

void taf_report_devices_json(struct taf_json *j, const struct taf_page *page)
{
	struct devices all;

	find(page, &all);
	taf_json_open(j, "devices", '[');
	for (size_t i = 0; i < all.n; i++) {
		const struct device *d = &all.of[i];

		taf_json_open(j, NULL, '{');
		taf_json_text(j, "engine", taf_engine_name(d->engine));
		taf_json_u64(j, "device", d->number);
		taf_json_text(j, "name", d->name[0] ? d->name : NULL);
		if (d->total)
			taf_json_u64(j, "total", d->total);
		else
			taf_json_null(j, "total");
		taf_json_u64(j, "live", d->live);
		taf_json_u64(j, "pieces", d->pieces);
		taf_json_u64(j, "peak", d->peak);
		taf_json_u64(j, "largest", d->largest);
		taf_json_u64(j, "pinned", d->pinned);
		taf_json_u64(j, "graphs", d->graphs);
		taf_json_close(j);
	}
	taf_json_close(j);
}

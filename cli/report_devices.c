/* SPDX-License-Identifier: MIT */
/* report_devices.c -- what a session held of each device: from the ring while that is
 * there, else from the notes that it left when it ended in order. */
#include <string.h>

#include "../policy/fault.h"
#include "../shim/live.h"
#include "report.h"
#include "show.h"

/* One device of one runtime. */
struct device {
	enum taf_engine engine;
	uint64_t number, live, pieces, peak, largest, pinned, graphs;
};

static struct device of_ring(const struct taf_ring_holding *h)
{
	return (struct device){ .engine = taf_engine_of_api((enum taf_api)h->api),
				.number = h->device,
				.live = h->bytes[TAF_AT_DEVICE] + h->bytes[TAF_AT_MANAGED],
				.pieces = h->pieces[TAF_AT_DEVICE] + h->pieces[TAF_AT_MANAGED],
				.peak = h->peak,
				.largest = h->largest,
				.pinned = h->bytes[TAF_AT_HOST],
				.graphs = h->pieces[TAF_AT_GRAPH] };
}

static bool is_note(const struct taf_past *p, struct taf_crumb_line *line)
{
	char class[16];

	return p->kind == TAF_NOTE && taf_past_line(p, line) &&
	       taf_crumb_text(line, TAF_KEY_CLASS, class, sizeof(class)) &&
	       !strcmp(class, "device");
}

static struct device of_note(const struct taf_crumb_line *line)
{
	struct device d = { .engine = (enum taf_engine)taf_crumb_engine(line) };

	taf_crumb_u64(line, TAF_KEY_DEVICE, &d.number);
	taf_crumb_u64(line, TAF_KEY_BYTES, &d.live);
	taf_crumb_u64(line, TAF_KEY_PIECES, &d.pieces);
	taf_crumb_u64(line, TAF_KEY_PEAK_BYTES, &d.peak);
	taf_crumb_u64(line, TAF_KEY_LARGEST, &d.largest);
	taf_crumb_u64(line, TAF_KEY_PINNED, &d.pinned);
	taf_crumb_u64(line, TAF_KEY_GRAPHS, &d.graphs);
	return d;
}

/* The i-th device. False: there are no more. */
static bool device_at(const struct taf_page *page, size_t i, struct device *d)
{
	const struct taf_trail *t = page->trail;
	struct taf_crumb_line line;

	if (page->story->n_devices) {
		if (i < page->story->n_devices)
			*d = of_ring(&page->story->devices[i]);
		return i < page->story->n_devices;
	}
	for (size_t n = 0; n < t->n_past; n++)
		if (is_note(&t->past[n], &line) && !i--) {
			*d = of_note(&line);
			return true;
		}
	return false;
}

static void print_bytes(FILE *out, const char *before, uint64_t n, const char *after)
{
	char text[32];

	taf_show_bytes(text, sizeof(text), n);
	fprintf(out, "%s%s%s", before, text, after);
}

void taf_report_devices(FILE *out, const struct taf_page *page)
{
	struct device d;

	for (size_t i = 0; device_at(page, i, &d); i++) {
		taf_report_label(out, i ? "" : "device");
		fprintf(out, "%s %llu: ", taf_engine_name(d.engine), (unsigned long long)d.number);
		print_bytes(out, "", d.live, " held");
		fprintf(out, " in %llu piece%s", (unsigned long long)d.pieces,
			d.pieces == 1 ? "" : "s");
		print_bytes(out, ", at most ", d.peak, "");
		print_bytes(out, ", biggest ", d.largest, "");
		if (d.pinned)
			print_bytes(out, ", ", d.pinned, " pinned on the host");
		if (d.graphs)
			fprintf(out, ", %llu graph%s", (unsigned long long)d.graphs,
				d.graphs == 1 ? "" : "s");
		fputc('\n', out);
	}
}

void taf_report_devices_json(struct taf_json *j, const struct taf_page *page)
{
	struct device d;

	taf_json_open(j, "devices", '[');
	for (size_t i = 0; device_at(page, i, &d); i++) {
		taf_json_open(j, NULL, '{');
		taf_json_text(j, "engine", taf_engine_name(d.engine));
		taf_json_u64(j, "device", d.number);
		taf_json_u64(j, "live", d.live);
		taf_json_u64(j, "pieces", d.pieces);
		taf_json_u64(j, "peak", d.peak);
		taf_json_u64(j, "largest", d.largest);
		taf_json_u64(j, "pinned", d.pinned);
		taf_json_u64(j, "graphs", d.graphs);
		taf_json_close(j);
	}
	taf_json_close(j);
}

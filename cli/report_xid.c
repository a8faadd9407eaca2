/* SPDX-License-Identifier: MIT */
/* report_xid.c -- an Xid of the kernel's log beside an error of a GPU runtime.
 *
 * Beside an error is an Xid of its boot, at most NEAR_MS before or after one of the records
 * of that class: of several one that names the process, else the nearest.  What was only
 * noted (xids.h) counts where the kernel's log has none.  Asked for errors of the runtimes
 * that NVIDIA's driver has: CUDA, OpenCL, Vulkan.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../policy/fault.h"
#include "report.h"
#include "show.h"

#define NEAR_MS 10000u
#define TEXT_MAX_BYTES 300

/* When the errors of one class were. */
struct times {
	uint64_t *ns; /* malloc'd */
	size_t n;
	uint64_t first_ms;
	bool is_cuda; /* one of them is CUDA's */
};

struct beside {
	const struct taf_xid *xid; /* NULL: there is none */
	int64_t apart_ms; /* negative: before the error */
	bool is_own; /* it names the process */
	uint64_t n; /* that are near */
	const struct taf_blind *blind;
};

static void find_times(struct times *e, const struct taf_trail *t, const char *class)
{
	struct taf_crumb_line line;
	char name[48];

	memset(e, 0, sizeof(*e));
	e->ns = malloc((t->n_past + 1) * sizeof(*e->ns));
	for (size_t i = 0; e->ns && i < t->n_past; i++) {
		const struct taf_past *p = &t->past[i];
		enum taf_api api = taf_api_of((enum taf_engine)p->engine);

		if (p->kind != TAF_ERROR || p->phase == TAF_END || !taf_past_line(p, &line) ||
		    (api != TAF_API_CUDA && api != TAF_API_OPENCL && api != TAF_API_VULKAN))
			continue;
		if (!taf_crumb_text(&line, TAF_KEY_CLASS, name, sizeof(name)))
			name[0] = '\0';
		if (strcmp(name, class) != 0)
			continue;
		if (!e->n || p->mono_ns / 1000000 < e->first_ms)
			e->first_ms = p->mono_ns / 1000000;
		e->ns[e->n++] = p->mono_ns;
		e->is_cuda = e->is_cuda || api == TAF_API_CUDA;
	}
}

static uint64_t size_of(int64_t apart)
{
	return apart < 0 ? (uint64_t)-apart : (uint64_t)apart;
}

/* From the error that is nearest to the Xid. False: none is near. */
static bool is_near(const struct taf_xid *xid, const struct taf_trail *t, const struct times *e,
		    int64_t *apart_ms)
{
	uint64_t then = xid->is_noted ? xid->utc_ms : xid->mono_ms, least = UINT64_MAX;

	for (size_t i = 0; i < e->n; i++) {
		uint64_t at =
			xid->is_noted ? taf_trail_utc_us(t, e->ns[i]) / 1000 : e->ns[i] / 1000000;
		uint64_t apart = then > at ? then - at : at - then;

		if (apart > NEAR_MS || apart >= least)
			continue;
		least = apart;
		*apart_ms = then < at ? -(int64_t)apart : (int64_t)apart;
	}
	return least != UINT64_MAX;
}

static void look(struct beside *b, const struct taf_page *page, const struct times *e,
		 bool is_noted)
{
	uint64_t boot = taf_boot_key(page->trail->boot);

	for (size_t i = 0; i < page->xids->n; i++) {
		const struct taf_xid *xid = &page->xids->at[i];
		bool is_own = xid->pid && xid->pid == page->trail->pid;
		int64_t apart_ms;

		if (xid->is_noted != is_noted || !boot || xid->boot != boot ||
		    !is_near(xid, page->trail, e, &apart_ms))
			continue;
		b->n++;
		if (b->xid &&
		    (b->is_own != is_own ? b->is_own : size_of(apart_ms) >= size_of(b->apart_ms)))
			continue;
		b->xid = xid;
		b->apart_ms = apart_ms;
		b->is_own = is_own;
	}
}

static void find(struct beside *b, const struct taf_page *page, const char *class)
{
	struct times e;

	memset(b, 0, sizeof(*b));
	find_times(&e, page->trail, class);
	if (e.n) {
		b->blind = taf_xids_load(page->xids, taf_boot_key(page->trail->boot), e.first_ms);
		look(b, page, &e, false);
		if (!b->xid)
			look(b, page, &e, true);
		if (b->xid || !e.is_cuda)
			b->blind = NULL;
	}
	free(e.ns);
}

const struct taf_blind *taf_report_xid(FILE *out, const struct taf_page *page, const char *class)
{
	struct beside b;
	char span[32];

	find(&b, page, class);
	if (!b.xid)
		return b.blind;
	taf_report_label(out, "xid");
	taf_show_text(out, b.xid->class, TEXT_MAX_BYTES);
	fprintf(out, " (%s), %s %s ", b.xid->what ? b.xid->what : "?",
		taf_show_span(span, sizeof(span), size_of(b.apart_ms)),
		b.apart_ms < 0 ? "before" : "after");
	taf_show_text(out, class[0] ? class : "the error", TEXT_MAX_BYTES);
	if (b.is_own)
		fputs(", of this process", out);
	if (b.n > 1)
		fprintf(out, ", and %" PRIu64 " more", b.n - 1);
	fprintf(out, "; to do: %s; ", b.xid->advice ? b.xid->advice : "?");
	if (b.xid->is_noted)
		fputs("noted from ", out);
	taf_show_text(out, b.xid->is_noted ? b.xid->source : b.xid->line, TEXT_MAX_BYTES);
	fputc('\n', out);
	return NULL;
}

static void put_xid(struct taf_json *j, const struct beside *b)
{
	taf_json_open(j, "xid", '{');
	taf_json_text(j, "class", b->xid->class);
	taf_json_time(j, "t", b->xid->utc_ms * 1000);
	taf_json_i64(j, "apart_ms", b->apart_ms);
	taf_json_u64(j, "near", b->n);
	taf_json_bool(j, "own", b->is_own);
	if (b->xid->pid)
		taf_json_i64(j, "pid", b->xid->pid);
	else
		taf_json_null(j, "pid");
	taf_json_text(j, "device", b->xid->device[0] ? b->xid->device : NULL);
	taf_json_text(j, "means", b->xid->what);
	taf_json_text(j, "advice", b->xid->advice);
	taf_json_text(j, "source", b->xid->source);
	taf_json_text(j, "line", b->xid->is_noted ? NULL : b->xid->line);
	taf_json_close(j);
}

void taf_report_xid_json(struct taf_json *j, const struct taf_page *page, const char *class)
{
	struct beside b;

	find(&b, page, class);
	if (b.xid)
		put_xid(j, &b);
	else
		taf_json_null(j, "xid");
	taf_json_text(j, "xid_unknown", b.blind ? b.blind->why : NULL);
}

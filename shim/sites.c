/* SPDX-License-Identifier: MIT */
#include "sites.h"

#include "../policy/text.h"
#include "code.h"
#include "gate.h"
#include "life.h"
#include "site.h"
#include "sites_plan.h"
#include "state.h"
#include "sys_code.h"

/* All written by the constructor, read-only after. */
static struct taf_span image; /* of a program whose calls are led to us */
static char done[96], refused[200];

static bool is_within(uintptr_t p, const struct taf_span *s)
{
	return p >= s->from && p <= s->to;
}

static void refuse(const char *why)
{
	struct taf_text t;

	taf_text_init(&t, refused, sizeof(refused));
	taf_text_put(&t, "call sites in the program itself were left alone: ");
	taf_text_put(&t, why);
}

/* The first row that is left alone is named. */
static void note_left(const struct taf_plan *p)
{
	struct taf_text t;

	if (!p->why_left)
		return;
	taf_text_init(&t, refused, sizeof(refused));
	taf_text_put(&t, "call sites of ");
	taf_text_put_n(&t, p->left.name, p->left.n_name < 64 ? p->left.n_name : 64);
	taf_text_put(&t, " were left alone: ");
	taf_text_put(&t, p->why_left);
}

static taf_fn function_at(uintptr_t n)
{
	union {
		uintptr_t n;
		taf_fn f;
	} u = { .n = n };

	return u.f;
}

/* Where their functions are, whether or not their calls are led to us: we call some. */
static void learn_rows(const struct taf_plan *p, struct taf_sites_text t)
{
	struct taf_sites_row r;
	int row;

	for (unsigned i = 0; taf_sites_row(&t, &r); i++) {
		const struct taf_table *table =
			taf_plan_is_good(p, i) ? taf_plan_row(&r, &row) : NULL;

		if (table)
			atomic_store(&table->learned[row], function_at(p->of.bias + r.address));
	}
}

/* The stubs, in the order of the rows that have sites. False: nothing may become code. */
static bool make_stubs(const struct taf_plan *p, struct taf_sites_text t, struct taf_stubs *s)
{
	struct taf_sites_row r;
	int row;

	if (!taf_stubs_map(s, &p->image, p->rows)) {
		refuse("there is no room for jumps beside the program");
		return false;
	}
	for (unsigned i = 0; taf_sites_row(&t, &r); i++) {
		const struct taf_table *table =
			taf_plan_is_good(p, i) && r.n_sites ? taf_plan_row(&r, &row) : NULL;

		if (table)
			taf_stubs_add(s, table->ours(row));
	}
	if (!taf_stubs_seal(s))
		return true;
	refuse("this system lets nothing that was written become code");
	taf_stubs_unmap(s);
	return false;
}

static void write_sites(const struct taf_plan *p, struct taf_sites_text t,
			const struct taf_stubs *s)
{
	uintptr_t stub = (uintptr_t)s->at;
	struct taf_sites_row r;
	uint64_t site;
	union {
		uintptr_t n;
		unsigned char *p;
	} u;

	for (unsigned i = 0; taf_sites_row(&t, &r); i++) {
		if (!taf_plan_is_good(p, i) || !r.n_sites)
			continue;
		while (taf_sites_site(&r, &site)) {
			u.n = p->of.bias + site;
			taf_site_write(u.p, u.n, stub);
		}
		stub += TAF_STUB_BYTES;
	}
}

static bool lead_to_us(const struct taf_plan *p, const struct taf_sites_text *t)
{
	struct taf_code span = { .from = p->first, .to = p->last + TAF_SITE_MOST };
	struct taf_stubs stubs;
	union {
		uintptr_t n;
		const unsigned char *p;
	} head = { .n = p->image.from };

	if (!make_stubs(p, *t, &stubs))
		return false;
	if (taf_code_open(&span, p->code, p->of.bias, head.p)) {
		refuse("this system lets no changed code of the program run");
		taf_stubs_unmap(&stubs);
		return false;
	}
	write_sites(p, *t, &stubs);
	if (taf_code_close(&span))
		return true;
	refuse("the changed code could not be put in force");
	return false;
}

static void note_done(const struct taf_plan *p)
{
	struct taf_text t;

	taf_text_init(&t, done, sizeof(done));
	taf_text_u64(&t, p->sites);
	taf_text_put(&t, " call sites of ");
	taf_text_u64(&t, p->rows);
	taf_text_put(&t, " entry points in the program itself lead to the guard");
}

static void take_over(struct taf_plan *p, const struct taf_sites_text *t)
{
	const char *why;

	if (taf_sys_threads() != 1) {
		refuse("it is not certain that no other thread runs");
		return;
	}
	if (!taf_plan_check(p, t, &why)) {
		refuse(why);
		return;
	}
	note_left(p);
	if (!p->sites || !lead_to_us(p, t))
		return;
	learn_rows(p, *t);
	image = p->image;
	note_done(p);
	atomic_fetch_or(&taf_routes, TAF_ROUTE_SITES);
}

void taf_sites_init(char *const *envp)
{
	const char *value = taf_env(envp, TAF_SITES_VAR), *why = NULL;
	struct taf_sites_text t;
	struct taf_plan p;

	if (!value)
		return;
	if (!taf_sites_begin(&t, value))
		why = t.fault;
	else if (taf_plan_look(&p, &t, &why))
		take_over(&p, &t);
	if (why)
		refuse(why);
}

taf_fn taf_sites_real(const struct taf_table *t, int row, const void *caller)
{
	union {
		taf_fn f;
		uintptr_t n;
	} u = { .n = 0 };

	if (!image.to || !is_within((uintptr_t)caller, &image))
		return NULL;
	u.f = atomic_load_explicit(&t->learned[row], memory_order_acquire);
	return u.n && is_within(u.n, &image) ? u.f : NULL;
}

void taf_sites_tell(enum taf_engine engine)
{
	if (done[0])
		taf_mark(TAF_NOTE, engine, NULL, done);
	if (refused[0])
		taf_mark(TAF_NOTE, engine, NULL, refused);
}

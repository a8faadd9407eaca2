/* SPDX-License-Identifier: MIT */
#include "dirty.h"

#include "../policy/breaker.h"
#include "past.h"
#include "share.h"
#include "sys.h"

#define FOUND_MAX 32u
#define OLDEST_MS (4ull * TAF_DAY_MS) /* what is older holds nothing */
#define RECENT_MS 5000u /* who becomes active so soon after a look takes it as his own */
#define SLACK_MS 2000u /* file times are coarse, and their clock is not ours */

#define CURSOR_BOOTS "dirty_boot" /* a: the boot in which it was looked for */
#define CURSOR_CRASHES "crashes" /* a: the boot, b: UTC up to which files were read */

struct found {
	struct taf_ledger_event event[FOUND_MAX];
	uint32_t n;
};

/* Where there are too many, the newest are looked at first. */
static void keep(void *ctx, const struct taf_ledger_event *e)
{
	struct found *f = ctx;

	if (f->n < FOUND_MAX)
		f->event[f->n++] = *e;
}

/* What has to be looked for: from the cursors, without holding anybody up. */
static void plan(struct taf_past_ask *past, const struct taf_rules *r)
{
	const struct taf_ledger_cursor *c;
	uint64_t utc = past->now.utc_ms;
	int err;
	struct taf_ledger *l = taf_share_enter(&err);

	c = taf_ledger_cursor_of(l, CURSOR_BOOTS);
	past->wants_panics =
		r->cooldown_dirty_boot != TAF_DIRTY_OFF && !(c && c->a == past->now.boot);
	c = taf_ledger_cursor_of(l, CURSOR_CRASHES);
	past->wants_crashes = past->wants_live || !c || c->a != past->now.boot || c->b > utc ||
			      utc - c->b > RECENT_MS;
	past->since_ms = utc > OLDEST_MS ? utc - OLDEST_MS : 0;
	if (!past->wants_panics && c && c->a == past->now.boot && c->b <= utc &&
	    c->b > past->since_ms + SLACK_MS)
		past->since_ms = c->b - SLACK_MS;
	taf_share_leave(TAF_SHARE_SAME);
}

static int enter_all(const struct found *f, const struct taf_past_ask *past,
		     const struct taf_rules *r)
{
	enum taf_share_change change = TAF_SHARE_LAZY;
	int err, left;
	struct taf_ledger *l = taf_share_enter(&err);

	for (uint32_t i = 0; i < f->n; i++)
		if (taf_ledger_note(l, &f->event[i]) != TAF_NOTED_KNOWN)
			change = TAF_SHARE_DURABLE;
	if (past->wants_panics)
		taf_ledger_cursor_set(l, CURSOR_BOOTS, past->now.boot, 0);
	if (past->wants_crashes)
		taf_ledger_cursor_set(l, CURSOR_CRASHES, past->now.boot, past->now.utc_ms);
	if (taf_breaker_update(l, r, &past->now))
		change = TAF_SHARE_DURABLE;
	left = taf_share_leave(change);
	return err ? err : left;
}

int taf_dirty_check(const struct taf_dirty_ask *ask)
{
	char boot[TAF_BOOT_ID_LEN + 1], machine[TAF_BOOT_ID_LEN + 1];
	struct taf_past_ask past = { .dir = ask->crumbs,
				     .boot = boot,
				     .machine = machine,
				     .now = taf_moment_now(),
				     .wants_live = ask->wants_live };
	struct found *f;
	int err = taf_sys_boot_id(boot), n;

	if (err)
		return err;
	if (taf_sys_machine_id(machine))
		machine[0] = '\0';
	f = taf_sys_map(sizeof(*f));
	if (!f)
		return 0;
	plan(&past, ask->rules);
	n = past.wants_panics || past.wants_crashes ? taf_past_look(&past, keep, f) : 0;
	/* Where nothing was new, nothing is written. */
	if (n > 0 || (!n && past.wants_panics))
		err = enter_all(f, &past, ask->rules);
	taf_sys_unmap(f, sizeof(*f));
	return err;
}

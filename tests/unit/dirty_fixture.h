/* SPDX-License-Identifier: MIT */
/* dirty_fixture.h -- logs of earlier sessions, and the machine that is asked about them.
 *
 * For programs that are linked with LINK_DIRTY of the Makefile: clock and machine are ours. */
#ifndef DIRTY_FIXTURE_H
#define DIRTY_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <utime.h>

#include "../../shim/dirty.h"
#include "../../shim/share.h"
#include "../../shim/sys.h"
#include "crumb_fixture.h"

/* When the fixture's records were made: 2026-11-21T10:00:10Z and on. */
#define FX_UTC_MS 1795255210000ull
#define GUEST ",\"role\":\"guest\",\"machine\":\"%s\""

static char dir[64], crumbs[80], machine[TAF_BOOT_ID_LEN + 1], here[TAF_BOOT_ID_LEN + 1];
static struct taf_rules rules;
static struct taf_ledger seen;
static struct fx f;

/* The machine's clocks, as far as UTC goes. */
static uint64_t utc_us;

uint64_t __wrap_taf_sys_utc_us(void);
int __wrap_taf_sys_machine_id(char out[TAF_BOOT_ID_LEN + 1]);

uint64_t __wrap_taf_sys_utc_us(void)
{
	return utc_us;
}

int __wrap_taf_sys_machine_id(char out[TAF_BOOT_ID_LEN + 1])
{
	strcpy(out, machine);
	return 0;
}

static inline int setup(void **state)
{
	(void)state;
	fx_state(dir, crumbs);
	taf_rules_default(&rules);
	strcpy(machine, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	taf_sys_boot_id(here);
	utc_us = (FX_UTC_MS + TAF_HOUR_MS) * 1000;
	taf_share_open(dir);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	fx_remove(dir);
	return 0;
}

static inline int check(void)
{
	struct taf_dirty_ask ask = { .rules = &rules, .crumbs = crumbs };
	int err = taf_dirty_check(&ask), ignored;

	seen = *taf_share_enter(&ignored);
	taf_share_leave(TAF_SHARE_SAME);
	return err;
}

static inline void begin(int pid, const char *boot)
{
	fx_begin(&f, pid, FX_ROOM);
	strcpy(f.boot, boot);
	fx_put(&f, "start", "mark", GUEST, machine);
}

/* Leaves it as written ms after the records of the fixture began. */
static inline void save(uint64_t ms)
{
	char path[512];
	time_t at = (time_t)((FX_UTC_MS + ms) / 1000);
	unsigned seg = f.seg;

	fx_save(&f, crumbs);
	snprintf(path, sizeof(path), "%s/%s-%d-%" PRIu64 "-%03u.jsonl", crumbs, f.boot, f.pid,
		 f.start, seg);
	utime(path, &(struct utimbuf){ at, at });
}

static inline void infer(void)
{
	fx_put(&f, "infer", "begin", ",\"call\":\"llama_decode\",\"model\":\"tiny\"");
}

#define CASE(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

#endif

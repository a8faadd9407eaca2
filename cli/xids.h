/* SPDX-License-Identifier: MIT */
/* xids.h -- what NVIDIA's driver has written of a boot into the kernel's log: its Xids.
 *
 *   taf_xids_open(&x, state, world);
 *   why = taf_xids_load(&x, boot, ms);    reads what tells of that boot, once
 *   ... x.at[0 .. x.n) ...
 *   taf_xids_free(&x);
 *
 * Of this boot /dev/kmsg tells, of others the journal that journalctl gives of the boot
 * before, and of all what `run`, `gate`, `events` and `watch` have noted (STATE/events).
 * Writes nothing.  The latest TAF_XIDS_MAX lines are kept.
 */
#ifndef TAF_XIDS_H
#define TAF_XIDS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "evidence_source.h"
#include "sessions.h"

#define TAF_XIDS_MAX 4096u
#define TAF_XID_LINE 256

struct taf_xid {
	uint64_t boot; /* taf_boot_key */
	uint64_t mono_ms, utc_ms; /* mono_ms: CLOCK_MONOTONIC of that boot; not of a noted one */
	bool is_noted; /* of STATE/events: without a line, and of those of a minute the last */
	int32_t pid; /* 0: not named */
	char class[40]; /* "xid_79" */
	char device[24]; /* "": not named */
	char source[24]; /* "kmsg", "journal" */
	char line[TAF_XID_LINE]; /* the kernel's own */
	const char *what, *advice; /* policy/xid.def */
};

struct taf_xids {
	char state[PATH_MAX]; /* "": none */
	uint64_t boot; /* this one */
	struct taf_xid *at; /* malloc'd */
	size_t n, room, oldest;
	bool has_noted, has_kmsg, has_journal; /* was read */
	struct taf_hearing kmsg, journal;
};

/* state: its directory, absolute; "": there is none. */
void taf_xids_open(struct taf_xids *x, const char *state, const struct taf_world *w);
/* NULL, or why the kernel's log of that boot from since_ms (CLOCK_MONOTONIC) on is not known. */
const struct taf_blind *taf_xids_load(struct taf_xids *x, uint64_t boot, uint64_t since_ms);
void taf_xids_free(struct taf_xids *x);

#endif

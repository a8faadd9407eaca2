/* SPDX-License-Identifier: MIT */
/* past_record.h -- what one record says of its session, for past.c alone.
 *
 * A look reads segments newest first into one room; the records of a session go through
 * a reading, which keeps what has begun and not ended, and the first errors. */
#ifndef TAF_PAST_RECORD_H
#define TAF_PAST_RECORD_H

#include "crumb.h"
#include "crumb_read.h"
#include "past.h"
#include "seg_name.h"

#define TAF_PAST_SESSIONS_MAX 1024u
#define TAF_PAST_TAIL (64u * 1024) /* bytes of the last records */
#define TAF_PAST_DENTS (32u * 1024)
#define TAF_PAST_OPEN_MAX 128 /* loads and requests at once in one session */

struct taf_past_session {
	struct taf_seg_name last; /* its segment of the highest number */
	uint64_t mtime_ms; /* of that */
	/* Once it was read: */
	bool is_read, is_guest, is_run, has_end, is_clean;
	uint32_t n_loads, n_infers; /* that have no end */
	bool is_outside; /* by the latest mark no call of a generation is inside */
	uint64_t first_ms, last_ms; /* UTC of its records */
	char model[TAF_LEDGER_ID]; /* that its records named last */
	int32_t guest; /* of a run: whose end it saw */
	bool has_crash; /* of a run: that end was one */
	struct taf_ledger_event crash;
	struct taf_ledger_event load, infer; /* what a surmise would say: of the latest begins */
};

/* What one look works with, in one mapping. */
struct taf_past_room {
	struct taf_past_session session[TAF_PAST_SESSIONS_MAX];
	char rows[TAF_PAST_DENTS];
	char text[TAF_RECORD_MAX + TAF_PAST_TAIL + 1];
	const struct taf_past_ask *ask;
	taf_past_fn *found;
	void *ctx;
	uint64_t asleep_ms; /* what the boot clock is ahead of mono_ns */
	uint32_t n, n_read;
};

/* A session while its records are read. */
struct taf_past_reading {
	struct taf_past_room *r;
	struct taf_past_session *s;
	struct taf_past_open {
		uint64_t seq;
		bool is_load;
	} open[TAF_PAST_OPEN_MAX]; /* loads and generations without an end */
	uint32_t n_open;
	bool is_quiet; /* only what the session is of */
	/* The first one, and the first whose harm lasts; severity 0: none. */
	struct taf_ledger_event error, lasting;
};

/* The start record: whose session it is. False: none of ours, or of another machine. */
bool taf_past_take_start(struct taf_past_reading *g, const struct taf_crumb_line *line);
void taf_past_take_record(struct taf_past_reading *g, const struct taf_crumb_line *line);
/* After the last record: the errors that count. What a program has caught, and lived with
 * until it left with status 0, was no crash. */
void taf_past_tell_errors(const struct taf_past_reading *g);

#endif

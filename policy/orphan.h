/* SPDX-License-Identifier: MIT */
/* orphan.h -- which begins have no end, and whether their process still lives.
 *
 *   taf_orphans_init        with the caller's memory
 *   taf_orphan_begin, taf_orphan_end   events, in the order of their time
 *   taf_orphan_line         or the lines of metal-guard's log
 *   taf_orphans_judge       sorts what is open, the oldest first
 *
 * A begin is known by (boot, pid, start, seq) and ended by the end with the
 * same four alone: a second process on the same model, or one that died last
 * week, changes nothing about it.  What is open then is
 *
 *   LOST    its boot is over, its process is gone, or its pid is another process now
 *   LIVE    its process lives and has shown no progress for the threshold or longer
 *   YOUNG   its process lives, and there is nothing to be said yet
 *
 * metal-guard's log has no boot, pid or number: an end there takes the oldest
 * begin of that model, and a pid is known only from the line that says "ready",
 * so is_sure is never set: such a pid is for people, never for kill(2).
 *
 *   [2033-05-18 03:30:00] SUBPROC_PRE: model
 *   [2033-05-18 03:30:20] SUBPROC_POST: model | elapsed_ms=20000
 *   [2033-05-18 03:30:00] SUBPROCESS_WORKER: model ready, pid=12345
 *   [2033-05-18 03:30:00] SUBPROC_PRE | model=model
 *
 * Stamps there are local times of one-second resolution.  Lines that are none
 * of these are skipped.  Nothing is copied: texts must outlive the set.
 */
#ifndef TAF_ORPHAN_H
#define TAF_ORPHAN_H

#include <stddef.h>

#include "stamp.h"

enum taf_orphan_is { TAF_ORPHAN_YOUNG, TAF_ORPHAN_LIVE, TAF_ORPHAN_LOST };

struct taf_orphan {
	struct taf_moment at; /* of the begin */
	struct taf_moment moved; /* its latest sign of progress; not set: none since at */
	int32_t pid; /* 0: unknown */
	uint64_t start, seq; /* start 0: unknown */
	const char *model; /* not closed by a NUL */
	size_t model_n;
	const void *about; /* the caller's own */
	bool is_text; /* of metal-guard's log */
	bool is_ready; /* no begin, but a line that names the pid of a model */
	/* After taf_orphans_judge: */
	enum taf_orphan_is is;
	uint64_t age_ms, still_ms; /* since the begin; since its progress */
	bool is_sure; /* pid and start are those of a process that lives */
};

struct taf_orphans {
	struct taf_orphan *at;
	size_t room, n;
	uint64_t n_dropped; /* begins that there was no room for */
	uint64_t n_lines; /* of the form of metal-guard's log, whatever they tell */
};

/* The world of the judge. */
struct taf_orphan_world {
	struct taf_moment now;
	uint64_t up_since_ms; /* UTC of the start of this boot; 0: unknown */
	uint64_t after_ms; /* the threshold */
	/* Start of the living process with that pid, 0: there is none. */
	uint64_t (*start_of)(void *ctx, int32_t pid);
	void *ctx;
};

/* How local times are read. */
struct taf_orphan_clock {
	/* Seconds since 1970 in UTC of a local time, given as if it were UTC itself. */
	int64_t (*utc_of)(void *ctx, int64_t local_s);
	void *ctx;
};

void taf_orphans_init(struct taf_orphans *o, struct taf_orphan *memory, size_t room);
void taf_orphan_begin(struct taf_orphans *o, const struct taf_orphan *begin);
/* Of the end only boot, pid, start and seq count. False: no such begin is open. */
bool taf_orphan_end(struct taf_orphans *o, const struct taf_orphan *end);
/* One line of metal-guard's log, without its newline. False: it tells nothing. */
bool taf_orphan_line(struct taf_orphans *o, const char *line, size_t n,
		     const struct taf_orphan_clock *clock);
/* Afterwards o->at holds the begins that are open, the oldest first. */
void taf_orphans_judge(struct taf_orphans *o, const struct taf_orphan_world *w);

#endif

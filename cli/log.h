/* SPDX-License-Identifier: MIT */
/* log.h -- the parts of `taffrail log`: what is read (log_tail.c) and how it
 * looks (log_text.c); log.c holds the options and the loop. */
#ifndef TAF_LOG_H
#define TAF_LOG_H

#include <stdio.h>

#include "sessions.h"

/* What of the log is wanted. */
struct taf_log_filter {
	uint64_t since_us; /* 0: all */
	uint32_t kinds; /* bit an enum taf_kind; 0: all */
	const char *run; /* the beginning of a run id; NULL: all */
	const char *session; /* the id of a session; NULL: all */
};

/* One record on its way out. */
struct taf_log_entry {
	const char *text;
	size_t n;
	size_t boot, session; /* indices into the tail's boots and sessions */
	uint64_t mono_ns, utc_us, seq;
	int32_t pid;
};

/* Where reading a segment stands. */
struct taf_log_cursor {
	char name[96];
	size_t done; /* bytes that were read for good */
	uint64_t size;
	int64_t mtime_ns;
	uint64_t bad;
	int err; /* why it could not be read; 0 or -errno */
};

struct taf_log_boot {
	char id[TAF_BOOT_ID_LEN + 1];
	uint64_t first_us; /* of what was read of it first; it orders the boots */
	uint64_t first_ns; /* of what was printed of it first; times count from there */
};

#define TAF_LOG_LOOSE 256

/* One process that writes. */
struct taf_log_session {
	char id[96];
	uint64_t mark_seq; /* of its latest mark (shim/crumb.h) that was read; 0: none */
	/* Begins of infer without an end, and ends that were read before their begin: twice
	 * the begin's seq, and 1 more for an end. NULL: there was none of either. */
	uint64_t *loose;
	uint16_t n_loose;
	bool is_crowded; /* there were too many to count */
};

struct taf_log_tail {
	char dir[TAF_PATH_MAX];
	const struct taf_log_filter *filter;
	struct taf_world world;
	struct taf_log_cursor *cursors;
	size_t n_cursors;
	struct taf_log_boot *boots;
	size_t n_boots;
	struct taf_log_session *sessions;
	size_t n_sessions;
	/* The batch that taf_log_read made. */
	struct taf_log_entry *entries;
	size_t n_entries, room;
	char **texts;
	size_t n_texts;
	int watch; /* inotify, 0: not yet */
	bool has_watch;
};

/* Reads what is new since the last call into a batch in the order in which it
 * happened: by CLOCK_MONOTONIC within a boot, by time of day between boots. A
 * line that is perhaps being written is left for the next call. 0 or -errno. */
int taf_log_read(struct taf_log_tail *tail);
/* Sleeps until the directory changed or a while has passed. */
void taf_log_wait(struct taf_log_tail *tail);
void taf_log_free(struct taf_log_tail *tail);
/* Generations of the session that have no end in what was read; 0 where they were too many. */
unsigned taf_log_count_open(const struct taf_log_session *session);

/* One record for people. */
void taf_log_print(FILE *out, struct taf_log_tail *tail, const struct taf_log_entry *entry);

#endif

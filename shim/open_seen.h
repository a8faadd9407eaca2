/* SPDX-License-Identifier: MIT */
/* open_seen.h -- sets of weights that were looked at when they were opened.
 *
 *   key = taf_open_key(path)     which set path is a part of: one stat
 *   taf_open_recall              new: headers are to be read; known: judged again by
 *                                what was read; passed: it goes on
 *   taf_open_keep                what was read and said
 *
 * A load opens many files, and one file more than once.  What passed goes on
 * while it is opened at least once a minute, unless as much as it needs was
 * given back meanwhile: then the load is over, and the next one is judged
 * anew.  A load may also be slower than that: what it took since it passed
 * comes off what it still needs.  A set that takes nothing (its pages are
 * mapped) is judged as a whole.
 *
 * No I/O but that one stat; gives up rather than wait, and then the set is new.
 */
#ifndef TAF_OPEN_SEEN_H
#define TAF_OPEN_SEEN_H

#include "load_size.h"

#define TAF_OPEN_KEEP_MS 60000

struct taf_open_set {
	char id[TAF_MODEL_ID];
	struct taf_load_size size;
	uint64_t in; /* of size.bytes, what is in memory by now */
	bool is_passed;
};

/* One open, and what the doors counted by then. */
struct taf_open_now {
	uint64_t key, ms;
	uint64_t live, given; /* bytes that are taken; that were given back, ever */
};

enum taf_open_word { TAF_OPEN_NEW, TAF_OPEN_KNOWN, TAF_OPEN_PASSED };

/* 0: path names nothing. Two paths of one set have the same, whatever the current folder. */
uint64_t taf_open_key(const char *path);
/* Fills s unless the word is PASSED; for a new one all but s->in is zero. */
enum taf_open_word taf_open_recall(const struct taf_open_now *now, struct taf_open_set *s);
void taf_open_keep(const struct taf_open_now *now, const struct taf_open_set *s);
/* A fork child has opened nothing. */
void taf_open_forget(void);

#endif

/* SPDX-License-Identifier: MIT */
/* evidence_source.h -- what the readers of the sources share: the list they fill and its marks. */
#ifndef TAF_EVIDENCE_SOURCE_H
#define TAF_EVIDENCE_SOURCE_H

#include <limits.h>
#include <stddef.h>

#include "../policy/klog.h"
#include "../policy/ledger.h"
#include "evidence.h"

#define TAF_EVIDENCE_EVENTS 128
#define TAF_EVIDENCE_WORDS 32
#define TAF_EVIDENCE_MARKS 12
#define TAF_EVIDENCE_BOOTS 16
#define TAF_EVIDENCE_FILE_BYTES (5u << 20)

/* How far one source was read. */
struct taf_mark {
	char name[24];
	uint64_t boot; /* of the reading */
	uint64_t a, b, c; /* whatever the reader wants to know again */
	char blind[sizeof(((struct taf_blind *)0)->why)]; /* "": it could be read */
};

struct taf_evidence;

/* One line of a kernel log that tells of harm. */
struct taf_heard {
	const struct taf_klog *k;
	const char *source, *line;
	size_t n;
	const struct taf_moment *at;
};
typedef void taf_hear(void *hearer, const struct taf_evidence *ev, const struct taf_heard *h);

struct taf_evidence {
	taf_hear *hear; /* gets each such line, also what is told again; NULL: nobody does */
	void *hearer;
	char root[PATH_MAX]; /* before every path; "": this system */
	struct taf_moment now;
	uint64_t asleep_ms; /* what the boot clock is ahead of the kernel's stamps */
	uint64_t deadline_ns; /* CLOCK_MONOTONIC */
	uint32_t n;
	struct taf_ledger_event event[TAF_EVIDENCE_EVENTS];
	uint32_t n_words;
	struct taf_word { /* about what happened before it: taf_klog_settle */
		struct taf_klog k;
		struct taf_moment at;
	} word[TAF_EVIDENCE_WORDS];
	uint32_t n_blind;
	struct taf_blind blind[TAF_EVIDENCE_BLIND];
	uint32_t n_marks;
	struct taf_mark mark[TAF_EVIDENCE_MARKS];
	bool is_moved; /* a mark differs from what was loaded */
	uint32_t n_boots; /* whose kernel's log was read; of too many the latest */
	struct taf_boot_log {
		uint64_t boot; /* taf_boot_key */
		uint64_t from_ms; /* of its CLOCK_MONOTONIC: where what was read begins */
	} boot[TAF_EVIDENCE_BOOTS];
};

/* ---- evidence.c: for who only looks ---- */

/* What was read. */
struct taf_hearing {
	struct taf_blind blind; /* why "": it could be read, of these boots */
	uint32_t n_boots;
	struct taf_boot_log boot[TAF_EVIDENCE_BOOTS];
};

/* Gives the lines of the kernel's log of this boot, or of the journal of the one before, to
 * hear, as if none had been read yet. Writes nothing. A log that is not there is blind here,
 * for who looks cannot say that nothing stood in it. */
void taf_evidence_hear(bool is_before, taf_hear *hear, void *hearer, struct taf_hearing *out);

/* ---- evidence_mark.c: STATE/evidence ---- */

/* What cannot be read is as if there were none: all is looked at again. */
void taf_marks_load(struct taf_evidence *ev, const char *state);
/* 0 or -errno. */
int taf_marks_save(const struct taf_evidence *ev, const char *state);
/* The mark of that name, made when it is missing; NULL without room. */
struct taf_mark *taf_mark_of(struct taf_evidence *ev, const char *name);
/* Sets m, and notes whether that changes anything. */
void taf_mark_set(struct taf_evidence *ev, struct taf_mark *m, const struct taf_mark *to);

/* ---- evidence_list.c: the events found ---- */

/* Adds e, seen now; what was found twice within a minute is one. When the list is full
 * the least harmful goes. */
void taf_evidence_add(struct taf_evidence *ev, const struct taf_ledger_event *e);
/* One line of a kernel log of which at is the moment. */
void taf_evidence_line(struct taf_evidence *ev, const char *source, const char *line, size_t n,
		       const struct taf_moment *at);
/* An entry of that boot was read, mono_ms after it began. */
void taf_evidence_read(struct taf_evidence *ev, uint64_t boot, uint64_t mono_ms);
void taf_evidence_blind(struct taf_evidence *ev, const char *source, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool taf_evidence_is_late(const struct taf_evidence *ev);

/* ---- evidence_folder.c: files in folders ---- */

struct taf_found_file {
	const char *path;
	char *text; /* closed by a NUL; may be changed */
	size_t n;
	uint64_t utc_ms; /* when it was written */
};

struct taf_folder {
	const char *source, *mark, *path;
	int depth; /* folders in it that are looked into as well */
	bool (*wants)(const char *name);
	void (*take)(struct taf_evidence *ev, const struct taf_found_file *f);
	const char *advice; /* when it cannot be read */
};

/* Gives each file of f that is new since the last time to f->take, oldest first. */
void taf_evidence_folder(struct taf_evidence *ev, const struct taf_folder *f);

/* ---- the sources ---- */

void taf_evidence_reports(struct taf_evidence *ev); /* panic_file */
void taf_evidence_pstore(struct taf_evidence *ev);
void taf_evidence_journal(struct taf_evidence *ev);
/* Whether a journal below root outlives the boots, and whether this user may read it. */
bool taf_journal_is_kept(const char *root, bool *can_read);
void taf_evidence_kmsg(struct taf_evidence *ev);

/* ---- evidence_journal.c, for its tests ---- */

/* Reads journalctl's export form; returns how many entries it had. */
uint32_t taf_journal_parse(struct taf_evidence *ev, const char *text, size_t n);

#endif

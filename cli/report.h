/* SPDX-License-Identifier: MIT */
/* report.h -- the parts of `taffrail report`: what to print is chosen in
 * report.c, how it looks in report_text.c and report_json.c. */
#ifndef TAF_REPORT_H
#define TAF_REPORT_H

#include "jsonout.h"
#include "lock_wait.h"
#include "story.h"
#include "xids.h"

/* How the program that `run` started ended, where it left no session of its own: a
 * shell, whose children did the work. */
struct taf_run_ending {
	bool is_known;
	int64_t rc; /* of the last one: status, or -signal */
	int32_t pid;
	unsigned starts; /* how often such a one ended */
	char program[512]; /* "": unknown */
};

/* One session of a run, loaded and told. */
struct taf_page {
	const struct taf_run_ending *run;
	struct taf_trail *trail;
	const struct taf_trail *runner; /* of its run, loaded; NULL: none */
	struct taf_story *story;
	const struct taf_trails *trails; /* where the sessions before it are found */
	const struct taf_world *world;
	struct taf_xids *xids;
	bool is_listed; /* in the tree of the run */
};

/* The sessions of one run, what mattered most first. */
struct taf_run_report {
	struct taf_page *pages;
	size_t n;
	struct taf_run_ending ending;
	const struct taf_trails *trails; /* where notes of this run are found */
	const struct taf_world *world;
};

void taf_report_text(FILE *out, struct taf_run_report *r);
void taf_report_json(struct taf_json *j, const struct taf_page *page);
/* The symbol as "call", and what people call it as "fn". */
void taf_report_call_json(struct taf_json *j, const char *call);
/* report_run.c: what its `run` saw; runner may be NULL. */
void taf_run_ending_find(struct taf_run_report *r, const struct taf_trail *runner);
void taf_run_ending_text(FILE *out, const struct taf_run_ending *e);
void taf_run_ending_json(struct taf_json *j, const struct taf_run_ending *e);
/* The first start record of a session. False when it was damaged. */
bool taf_report_head(const struct taf_trail *trail, struct taf_crumb_line *line);
/* report_phase.c: the phases of one session, a line each. */
void taf_report_phases(FILE *out, const struct taf_page *page);
/* Whether a signal ended it at once, before the guard could do anything. */
bool taf_report_is_cut_off(const struct taf_page *page);
/* report_acts.c: what failed and what the rules did, a line each; and for programs. */
void taf_report_acts(FILE *out, const struct taf_page *page);
void taf_report_acts_json(struct taf_json *j, const struct taf_page *page);
/* report_xid.c: the Xid beside the errors of that class, a line; "": those without a class.
 * Returns NULL, or why the kernel's log is not known that might have one. */
const struct taf_blind *taf_report_xid(FILE *out, const struct taf_page *page, const char *class);
void taf_report_xid_json(struct taf_json *j, const struct taf_page *page, const char *class);
/* report_devices.c: what it held of each device, a line each; and for programs. */
void taf_report_devices(FILE *out, const struct taf_page *page);
void taf_report_devices_json(struct taf_json *j, const struct taf_page *page);
/* report_trace.c: where the time of traced generations went, a table a model. */
void taf_report_trace(FILE *out, const struct taf_page *page);
void taf_report_trace_json(struct taf_json *j, const struct taf_page *page);
/* A start that `run` refused, or kept waiting for the GPU lock, after the sessions that are
 * shown. */
struct taf_refused_start {
	bool is_known;
	uint64_t utc_us;
	char program[512], rule[48], msg[512];
	bool is_wait; /* and no refusal */
	struct taf_lock_wait wait;
};

/* report_start.c: the latest one after the trail `newest`; NULL: there is none to be told apart. */
void taf_refused_start_find(struct taf_refused_start *s, struct taf_trails *g,
			    const struct taf_trail *newest, const struct taf_world *now);
/* How long this run waited for the GPU lock before its start, and for whom. */
void taf_start_wait_text(FILE *out, const struct taf_page *page);
void taf_start_wait_json(struct taf_json *j, const struct taf_page *page);
void taf_refused_start_text(FILE *out, const struct taf_refused_start *s);
void taf_refused_start_json(struct taf_json *j, const struct taf_refused_start *s);
/* report_missed.c: what came of drains that failed and what to change, a line each. */
void taf_report_missed(FILE *out, const struct taf_page *page);
/* report_next.c: what to do now, a line each. */
void taf_report_next(FILE *out, const struct taf_page *page);
/* The label column of the human report. */
void taf_report_label(FILE *out, const char *label);

#endif

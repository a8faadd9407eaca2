/* SPDX-License-Identifier: MIT */
/* report.h -- the parts of `taffrail report`: what to print is chosen in
 * report.c, how it looks in report_text.c and report_json.c. */
#ifndef TAF_REPORT_H
#define TAF_REPORT_H

#include "jsonout.h"
#include "story.h"

/* One session of a run, loaded and told. */
struct taf_page {
	struct taf_trail *trail;
	struct taf_story *story;
	bool is_listed; /* in the tree of the run */
};

/* The sessions of one run, what mattered most first. */
struct taf_run_report {
	struct taf_page *pages;
	size_t n;
	const struct taf_trails *trails; /* where notes of this run are found */
	const struct taf_world *world;
};

void taf_report_text(FILE *out, struct taf_run_report *r);
void taf_report_json(struct taf_json *j, const struct taf_page *page);
/* The first start record of a session. False when it was damaged. */
bool taf_report_head(const struct taf_trail *trail, struct taf_crumb_line *line);
/* report_phase.c: the phases of one session, a line each. */
void taf_report_phases(FILE *out, const struct taf_page *page);
/* The label column of the human report. */
void taf_report_label(FILE *out, const char *label);

#endif

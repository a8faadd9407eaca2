/* SPDX-License-Identifier: MIT */
/* orphans.h -- where begins without an end are looked for.
 *
 *   taf_orphans_of_crumbs   loads, generations and calls of the sessions of a state directory
 *   taf_orphans_of_log      metal-guard's breadcrumb log
 *
 * Both fill the same set (policy/orphan.h), whose texts they own.
 */
#ifndef TAF_ORPHANS_H
#define TAF_ORPHANS_H

#include "../policy/orphan.h"
#include "sessions.h"

#define TAF_ORPHANS_MAX 4096u

/* What a begin of a session was. */
struct taf_orphan_about {
	char session[96], run[24], exe[64], call[128], model[160];
	int kind; /* enum taf_kind */
	int32_t tid;
};

struct taf_orphan_hunt {
	struct taf_orphans set;
	struct taf_orphan memory[TAF_ORPHANS_MAX];
	struct taf_orphan_about *about; /* of the begins of sessions */
	size_t n_about;
	char *log; /* the part of metal-guard's log that was read; NULL: none */
	size_t log_n;
	struct taf_world world;
	struct taf_orphan_world judge;
};

/* after_ms is the threshold. */
void taf_orphans_begin(struct taf_orphan_hunt *h, uint64_t after_ms);
/* 0 or -errno. */
int taf_orphans_of_crumbs(struct taf_orphan_hunt *h, const char *crumbs);
/* The last 2000 lines or 400 KB of it. 0 or -errno. */
int taf_orphans_of_log(struct taf_orphan_hunt *h, const char *path);
/* ~/.harper/logs/metal_breadcrumb.log, else ./logs/metal_breadcrumb.log; false: neither. */
bool taf_orphans_log_path(char *path, size_t room);
void taf_orphans_end(struct taf_orphan_hunt *h);

#endif

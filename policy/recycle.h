/* SPDX-License-Identifier: MIT */
/* recycle.h -- when a process should be replaced before it fails.
 *
 * Some resources come back only with the process: Metal's live buffers (a
 * limit of iogpu.rsrc_limit, 499000 by default, whatever caches are cleared),
 * mappings, descriptors, leaked memory.  A restart is due when one of four is
 * reached: a share of the limit on live resources, a number of generations, an
 * amount of memory, an age.  A figure that is not known never makes one due.
 *
 * The rule warns when a generation begins, and answers a load as recycle.on_due
 * says; who restarts is `taffrail run --restart`, when nothing is in flight.
 */
#ifndef TAF_RECYCLE_H
#define TAF_RECYCLE_H

#include "policy.h"

#define TAF_RECYCLE_REASONS 4

/* What makes a restart due, each as a WARN that compares; how many. */
int taf_recycle_due(const struct taf_rules *rules, const struct taf_facts *f,
		    struct taf_answer out[TAF_RECYCLE_REASONS]);

#endif

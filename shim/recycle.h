/* SPDX-License-Identifier: MIT */
/* recycle.h -- counts what a process uses up, and asks to be replaced in time.
 *
 * Live resources are what the system limits and only the process gives back:
 * descriptors against RLIMIT_NOFILE and mappings against vm.max_map_count,
 * whichever is nearer to its limit.  They and the memory of the process are
 * measured at the begin of a generation, at most once in TAF_RECYCLE_MS, and
 * stand in the ring's head.  When policy/recycle.h calls a restart due, the head
 * says so for whoever supervises, and one crumb does; nothing else happens here.
 */
#ifndef TAF_RECYCLE_SHIM_H
#define TAF_RECYCLE_SHIM_H

#include "../policy/event.h"

#define TAF_RECYCLE_MS 10000u

/* A generation begins. */
void taf_recycle_look(void);
/* The process wants to be started again: rule is the row that says so. Whoever supervises
 * reads it in the ring. False: it has asked before, or nobody could read it. */
bool taf_recycle_ask(int rule, const char *why);
/* Fills infers, resources, resource_limit, footprint and uptime_ms from the head. */
void taf_recycle_facts(struct taf_facts *f);

#endif

/* SPDX-License-Identifier: MIT */
/* host.h -- `taffrail doctor --host`: the machine as the guard sees it, held against the policy.
 *
 * host.c reads the arguments' meaning and puts the parts together: host_machine.c
 * kernel, identity and drivers; host_memory.c what may be taken of memory;
 * host_evidence.c whether a panic will be seen afterwards; host_stop.c how long a
 * supervisor waits before it kills; host_waits.c what of the policy waits for longer.
 * The GPU is never touched, nothing is written; the one program that is asked is
 * systemctl, for two seconds at most.
 *
 * Each finding is ok, a note or a problem, and says what to do.
 */
#ifndef TAF_HOST_CLI_H
#define TAF_HOST_CLI_H

#include "../policy/rules.h"
#include "../shim/host.h"
#include "doctor.h"

struct taf_host_look {
	const char *root; /* before every path: "" for this machine */
	const char *const *units; /* files of --unit */
	size_t n_units;
	const char *policy; /* --policy, or NULL */
	bool is_json;
	struct taf_rules rules; /* in force for a program without a profile */
	struct taf_host host;
	struct taf_findings findings;
};

/* Looks, prints, returns the exit status. */
int taf_host_doctor(struct taf_host_look *l);

void taf_host_machine(struct taf_host_look *l);
void taf_host_memory(struct taf_host_look *l);
void taf_host_evidence(struct taf_host_look *l);
void taf_host_stop(struct taf_host_look *l);
/* Notes the waits of the policy that last longer than who lives after a stop; key sets that. */
void taf_host_waits(struct taf_host_look *l, const char *who, const char *key, uint64_t kill_ms);
/* One file of --unit. False when it cannot be read. */
bool taf_host_unit(struct taf_host_look *l, const char *path);
/* The wired memory that macOS lets the GPU have, against the machine's; 0: its default. */
void taf_host_wired(struct taf_findings *f, uint64_t wired_mb, uint64_t memory);

/* The first line of a small file under the root; "" when there is none. */
const char *taf_host_line(const struct taf_host_look *l, const char *path, char *buf, size_t room);
/* Whether there is such a file; *can_read, if asked for, whether we may read it. */
bool taf_host_has(const struct taf_host_look *l, const char *path, bool *can_read);

#endif

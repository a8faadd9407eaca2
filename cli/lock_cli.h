/* SPDX-License-Identifier: MIT */
/* lock_cli.h -- the parts of `taffrail lock`: showing (lock.c, lock_show.c), taking
 * over (lock_force.c). */
#ifndef TAF_LOCK_CLI_H
#define TAF_LOCK_CLI_H

#include <stddef.h>

#include "lock_view.h"
#include "policy_find.h"

struct taf_lock_ask {
	const char *file; /* --policy */
	const char **sets;
	size_t n_sets;
	bool is_json, takes;
	uint32_t slot; /* 0: not given */
	uint64_t wait_ms, settle_ms; /* of --take */
	const struct taf_rules *rules;
	char *const *env;
};

/* How an entry of lock.also stands is shown after the slots. */
void taf_lock_print(const struct taf_lock_ask *ask, const struct taf_lock_view *v);
void taf_lock_print_json(const struct taf_lock_ask *ask, const struct taf_lock_view *v);
/* "of this host, in /run/taffrail": returns buf. */
const char *taf_lock_place_words(const struct taf_lock_place *place, char *buf, size_t room);

/* Asks who holds the slot to end, waits, and lets the kernel tidy up. The exit status. */
int taf_lock_force(const struct taf_lock_ask *ask, struct taf_lock_view *v);

#endif

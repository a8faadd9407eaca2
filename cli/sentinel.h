/* SPDX-License-Identifier: MIT */
/* sentinel.h -- the hold that metal-guard stores: ~/.cache/metal-guard/panic-sentinel.json.
 *
 *   {"cooldown_until": "2026-11-25T21:00:00", "created_at": ...}
 *
 * The times are local ones, or carry an offset.  Honoured where lock.also names
 * metal-guard: there both guards share a machine.  Any other content says nothing
 * and is told in one line; it never stops anything.
 */
#ifndef TAF_SENTINEL_H
#define TAF_SENTINEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../policy/rules.h"

/* UTC of cooldown_until in ms. False: the n bytes are no such hold. */
bool taf_sentinel_read(const char *text, size_t n, uint64_t *until_ms);
/* Until when another guard holds, in ms from now; 0: it does not, or is not asked. */
uint64_t taf_sentinel_left_ms(const struct taf_rules *rules, uint64_t utc_ms);

#endif

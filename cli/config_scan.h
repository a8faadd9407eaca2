/* SPDX-License-Identifier: MIT */
/* config_scan.h -- strict JSON with comments: is it well formed, and what stands where.
 *
 * cJSON is lenient and forgets positions, so the text passes here first.  The
 * scan overwrites comments with blanks (offsets stay), refuses all that RFC
 * 8259 refuses, and notes every value in the order in which cJSON will build it
 * (parents first): value i of the tree stands at at[i].value, its key, if it has
 * one, at at[i].key, and the value behind it and all it holds is at[i].next.
 *
 * Bounds: TAF_SCAN_DEPTH levels, TAF_SCAN_VALUES values.  No allocation.
 */
#ifndef TAF_CONFIG_SCAN_H
#define TAF_CONFIG_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../policy/text.h"

#define TAF_SCAN_DEPTH 12
#define TAF_SCAN_VALUES 4096

struct taf_scan_at {
	uint32_t key, value, next;
};

struct taf_scan {
	char *text; /* n bytes and a NUL */
	size_t n;
	struct taf_scan_at at[TAF_SCAN_VALUES];
	uint32_t count;
	size_t bad; /* where it went wrong */
	const char *why; /* what is wrong there, and what to do */
};

/* text and n are set by the caller. False: see bad and why. */
bool taf_scan(struct taf_scan *s);
/* Appends "line:col" of an offset, both from 1; columns count characters. */
void taf_scan_where(const struct taf_scan *s, size_t offset, struct taf_text *out);
uint32_t taf_scan_line(const struct taf_scan *s, size_t offset);

#endif

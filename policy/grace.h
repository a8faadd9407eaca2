/* SPDX-License-Identifier: MIT */
/* grace.h -- how long a supervisor waits between asking a program to end and killing it.
 *
 *   systemd    TimeoutStopSec= or TimeoutSec= of [Service]; else 90 s
 *   launchd    ExitTimeOut of a property list in XML; else 20 s
 *   compose    stop_grace_period of each service; else 10 s
 *
 * A text is read line by line and only as far as this needs: it may be damaged,
 * huge or hostile, and what is not understood is as if it were not there, or,
 * where it stands in place of the value, is_bad.  Merges and anchors of YAML are
 * not followed, only told (is_merged).
 */
#ifndef TAF_GRACE_H
#define TAF_GRACE_H

#include "text.h"

#define TAF_GRACE_NEVER UINT64_MAX /* it is never killed */
#define TAF_GRACE_UNIT_MS 90000
#define TAF_GRACE_PLIST_MS 20000
#define TAF_GRACE_COMPOSE_MS 10000

struct taf_grace {
	char name[64]; /* of a compose service */
	uint64_t ms;
	uint32_t line; /* where it is given; 0: the default of its kind */
	bool is_bad; /* a value at line that is none; ms is the default then */
	bool is_merged; /* other places may say otherwise */
	bool is_unit; /* there is a section [Service]; of a unit alone */
};

/* A span as systemd writes it: "90", "1min 30s", "infinity"; without needs_unit a
 * number alone is seconds. False when it is none. */
bool taf_grace_span(const char *s, size_t n, bool needs_unit, uint64_t *ms);

void taf_grace_unit_init(struct taf_grace *g);
/* One file of a unit; a drop-in comes after the file that it changes. */
void taf_grace_unit(const char *text, size_t n, struct taf_grace *g);
/* False when the text is no property list in XML. */
bool taf_grace_plist(const char *text, size_t n, struct taf_grace *g);
/* Each service of a compose file, at most room of them. Returns how many there are. */
unsigned taf_grace_compose(const char *text, size_t n, struct taf_grace *out, unsigned room);

#endif

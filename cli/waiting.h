/* SPDX-License-Identifier: MIT */
/* waiting.h -- what a verb shows while it waits: one line on stderr, renewed each
 * second on a terminal, once a minute elsewhere.  Signals, which `run` blocks,
 * act as they would on any program that has begun nothing yet. */
#ifndef TAF_WAITING_H
#define TAF_WAITING_H

#include <stdbool.h>
#include <stdint.h>

struct taf_waiting {
	bool is_terminal, has_said;
	uint64_t said_ms;
};

void taf_waiting_begin(struct taf_waiting *w);
/* Whether a line would be shown now: for whom a line costs something to make. */
bool taf_waiting_is_due(const struct taf_waiting *w);
/* Shows line if it is time to. */
void taf_waiting_show(struct taf_waiting *w, const char *line);
/* Takes the line off a terminal. */
void taf_waiting_clear(struct taf_waiting *w);
/* Lets signals that came do what they would do to a program that has no handlers. */
void taf_waiting_signals(struct taf_waiting *w);

#endif

/* SPDX-License-Identifier: MIT */
/* gate_ask.h -- the gate's word about one program that is about to start, in this process. */
#ifndef TAF_GATE_ASK_H
#define TAF_GATE_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "../policy/policy_blob.h"

struct taf_gate_word {
	bool is_held;
	bool is_broken; /* it could not judge: why says so; held then if cooldown.blind is hold */
	uint64_t until_us; /* UTC of the end of the hold; 0: nobody knows */
	char why[400]; /* one line; "": nothing to say */
};

/* Reads the policy, what the system has noted since the last time, and the state. */
void taf_gate_ask(const struct taf_who *who, struct taf_gate_word *w);

#endif

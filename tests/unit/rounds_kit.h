/* SPDX-License-Identifier: MIT */
/* rounds_kit.h -- orders of evaluations as text, for the tests of policy/rounds.c and
 * shim/served.c. */
#ifndef TAF_TEST_ROUNDS_KIT_H
#define TAF_TEST_ROUNDS_KIT_H

#include <stdint.h>

#include "../../policy/rounds.h"

/* A letter and a number: A2 begins tokens of two, E3 evaluates three arrays, M2 a piece of two
 * prompts, Mx arrays that are no cache, D3 checks three drafts, W waits, a as well, for a number with
 * a fraction; P2 begins a piece of two prompts, F2 is the first tokens of two with their cache. */
static struct taf_step step_of(const char **at)
{
	char c = *(*at)++;
	uint32_t n = 0;

	if (c == 'M' && **at == 'x')
		(*at)++;
	while (**at >= '0' && **at <= '9')
		n = n * 10 + (uint32_t)(*(*at)++ - '0');
	return (struct taf_step){
		.kind = c == 'A' || c == 'P'   ? TAF_STEP_ASYNC
			: c == 'W' || c == 'a' ? TAF_STEP_WAIT
					       : TAF_STEP_EVAL,
		.n = c == 'M'	? 8
		     : c == 'D' ? 2
		     : c == 'F' ? n + 4
		     : c == 'P' ? 0
				: n,
		.prompts = c == 'M' || c == 'P' ? n : 0,
		.is_firsts = c == 'F',
		.drafts = (uint16_t)(c == 'D' ? n : 0),
		.is_answer = c == 'a',
	};
}

#endif

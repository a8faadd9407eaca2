/* SPDX-License-Identifier: MIT */
/* failure.h -- what an engine's own words tell of a failure, where its number tells nothing. */
#ifndef TAF_FAILURE_H
#define TAF_FAILURE_H

#include "../policy/classify.h"
#include "../policy/ledger.h"
#include "../policy/text.h"
#include "../shim/error.h"

/* A path that is not there, a shape that does not fit: what the program asked for. Only a
 * text that is known tells of the device, or of memory. text NULL: there is none. */
static inline enum taf_failure taf_failure_of(const char *text)
{
	struct taf_error_class found;

	if (!text || !taf_classify(text, taf_len(text), &found))
		return TAF_FAILED_UNKNOWN;
	return found.level < TAF_SEVERITY_PROCESS ? TAF_FAILED_REQUEST : TAF_FAILED_COMPUTE;
}

#endif

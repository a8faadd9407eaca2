/* SPDX-License-Identifier: MIT */
#include "fault.h"

static const struct taf_fault faults[] = {
#define FAULT(API, number, name, class, severity, hint) \
	{ TAF_API_##API, number, name, class, severity, hint },
#include "faults.def"
#undef FAULT
};

const struct taf_fault *taf_fault_of(enum taf_api api, int64_t number)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		if (faults[i].api == api && faults[i].number == number)
			return &faults[i];
	return NULL;
}

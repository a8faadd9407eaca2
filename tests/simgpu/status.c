/* SPDX-License-Identifier: MIT */
#include "status.h"

#include <stddef.h>

static const struct sim_status_text texts[] = {
#define STATUS(ours, number, driver, runtime, text) { number, #driver, #runtime, text },
#include "status.def"
};

const struct sim_status_text *sim_status_text(int number)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (texts[i].number == number)
			return &texts[i];
	return NULL;
}

/* SPDX-License-Identifier: MIT */
/* status.h -- error numbers of the simulated driver and runtime, which share them. */
#ifndef SIM_STATUS_H
#define SIM_STATUS_H

enum sim_status {
#define STATUS(ours, number, driver, runtime, text) SIM_##ours = number,
#include "status.def"
};

struct sim_status_text {
	int number;
	const char *driver, *runtime, *text;
};

/* NULL: not one of ours. */
const struct sim_status_text *sim_status_text(int number);

#endif

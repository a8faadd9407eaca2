/* SPDX-License-Identifier: MIT */
/* pressure.h -- how short of memory the machine is. */
#ifndef TAF_PRESSURE_H
#define TAF_PRESSURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum taf_pressure_is { TAF_PRESSURE_NONE, TAF_PRESSURE_WARN, TAF_PRESSURE_CRITICAL };

struct taf_pressure {
	uint64_t total, available; /* bytes; total 0: unknown */
	uint32_t used_pct;
	bool has_stall; /* the kernel counts waits for memory */
	uint32_t stall_pct; /* of the last ten seconds in which some process waited for memory */
};

/* Reads what /proc/meminfo and /proc/pressure/memory say; NULL: there is no such file. */
void taf_pressure_read(struct taf_pressure *p, FILE *meminfo, FILE *psi);
void taf_pressure_now(struct taf_pressure *p);
enum taf_pressure_is taf_pressure_level(const struct taf_pressure *p, uint32_t warn_pct,
					uint32_t critical_pct);

#endif
